"""The cluster tool, as far as it can be tested without making a cluster."""
