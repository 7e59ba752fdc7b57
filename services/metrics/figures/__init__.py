"""Reading figures."""
