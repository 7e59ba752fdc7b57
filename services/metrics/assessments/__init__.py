"""Assessments: a person's figures of a month, which evidence stage P6, and their verification by somebody else (R6, R7)."""
