"""Unit tests; they mirror ``lossless/`` and need neither a cluster nor a network."""
