"""Progress: how many people the programme has, of how many it should have, and how that number grew (R15, R16)."""
