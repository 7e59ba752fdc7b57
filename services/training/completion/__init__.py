"""Completion (R12): what became of each enrolment when its training ends."""
