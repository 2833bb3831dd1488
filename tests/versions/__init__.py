"""Texts of the version before and of a later one, as this one reads them."""
