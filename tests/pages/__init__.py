"""Tests of the pages that are written as one HTML file."""
