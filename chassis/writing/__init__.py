"""The write side: decisions, group commit, the outbox."""
