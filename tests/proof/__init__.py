"""The proof: what counts as proved, and that clients keep to their contract."""
