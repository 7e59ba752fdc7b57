"""Enrolments (R11): who may enrol, giving up, offers."""
