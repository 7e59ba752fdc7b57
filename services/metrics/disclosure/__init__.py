"""What the public may see (R18): no group of 1 to 4 people can be read from the figures, or computed from several of them."""
