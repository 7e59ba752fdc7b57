"""What the public may see (R18)."""
