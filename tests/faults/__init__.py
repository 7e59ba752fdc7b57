"""The fault harness: clients write down what they were promised, processes are killed, the ledger check counts.

ledger.py, client.py, load.py: the clients. fleet.py, troubles.py: what is done to the platform. collect.py: what is left
afterwards, read from MongoDB and Kafka. checker.py, projections.py, recount.py: C1 to C5, pure. engine.py, report.py: one run
of all of it; `python -m tests.faults` (`make chaos`) is its long form, test_short.py its short one.
planted.py, stories.py, small.py: known bugs that the checker must find, each in a run small enough to force it.
cluster/: the same on three mongods, three brokers and two replicas of each service, and how soon all is well again.
"""
