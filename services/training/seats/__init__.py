"""Seats and waiting lists (R11): who has a seat, who is offered one, who waits."""
