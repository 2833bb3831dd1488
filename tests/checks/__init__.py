"""What can be wrong with a set-up: one manifest for each question."""
