"""Targets (R16)."""
