"""Assessments: a person's figures of a month (R6, R7, P6)."""
