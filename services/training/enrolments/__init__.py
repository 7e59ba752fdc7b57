"""Enrolments (R11): who may enrol, cancelling, accepting and declining offers, offers that lapse."""
