"""The audit log: who saw or changed personal data, and why."""
