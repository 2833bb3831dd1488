"""Tests of ``kubectl lossless``."""
