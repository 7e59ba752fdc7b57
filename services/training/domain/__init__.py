"""The rules of training, pure: (documents, command, now) -> documents to write, events, reply. No I/O, no clock.

Split by aggregate: partner.py and api_key.py (R9); training.py, transition.py and revision.py (R10); eligibility.py,
seats.py and enrolment.py (R11); attendance.py and completion.py (R12). A command is a frozen dataclass with `decide`.
Next: services/training/use_cases.py, which hands them to GroupCommit.
"""
