"""Seats and waiting lists (R11)."""
