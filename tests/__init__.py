"""A package so that `tests.harness` can be imported by tests, by `python -m tests.faults` and by bench."""
