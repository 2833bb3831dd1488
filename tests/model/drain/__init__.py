"""One pod's drain, by tables and properties."""
