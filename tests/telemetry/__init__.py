"""Logs as programs read them."""
