"""Tests of what stands before the cluster in ``make balancers``."""
