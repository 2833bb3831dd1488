"""End-to-end tests on a real cluster, and the tool that makes such a cluster."""
