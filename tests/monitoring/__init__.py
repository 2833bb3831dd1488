"""What a platform team sees: real pages, real Prometheus, and documents that say the truth."""
