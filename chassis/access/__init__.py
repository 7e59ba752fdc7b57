"""Who is calling, and may they: OIDC tokens, API keys, rate limits."""
