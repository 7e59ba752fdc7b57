"""The three services; each owns its data and none imports another."""
