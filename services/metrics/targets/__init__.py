"""Targets: what the programme wants to reach, in versions, and the day on which it was reached (R16)."""
