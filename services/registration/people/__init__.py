"""People: registering and verifying them (R2, R5, R8), listing them, and showing or revealing their data."""
