"""Personal data at rest: the vault, masking, the blind index."""
