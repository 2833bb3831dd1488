"""One workload's rollout, by tables and properties."""
