"""Programs that are clients by themselves, and what makes them keep to the contract."""
