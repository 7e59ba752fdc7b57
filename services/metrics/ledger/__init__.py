"""The ledger: every event once, the figures folded from it, and the recount that holds the two together."""
