"""End-to-end tests. A package, so that the platform that they share ends with them."""
