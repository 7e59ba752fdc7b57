"""Partners (R9), who may act for them, and their API keys."""
