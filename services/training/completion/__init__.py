"""Completion (R12): what becomes of each enrolment when its training ends."""
