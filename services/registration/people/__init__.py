"""People: registering and verifying them (R2, R5, R8), and seeing them."""
