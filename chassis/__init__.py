"""How any service runs (the microservice chassis): no business word in it.

A service is wired in its `main.py` from these parts; the order in which an event meets them is app, group_commit, outbox,
relay, kafka, consumer.
"""

VERSION = "0.1.0"  # of the platform: that of pyproject.toml
