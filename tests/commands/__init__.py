"""Commands that run once, against an API server in memory."""
