"""Partners (R9): institutions that give trainings, the states they go through, and the API keys by which they call."""
