"""Tests of ``lossless.host``."""
