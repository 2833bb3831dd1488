"""The pure core, tested by tables."""
