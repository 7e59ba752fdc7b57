"""Faults that only a cluster has: three mongods, three brokers, two replicas of each service behind a balancer.

scene.py: what is running, and what faults can ask of it. mongodb.py, kafka.py, replicas.py: the faults; table.py: all of them,
with what must hold. life.py: how soon the platform was well again. run.py: one run of all of it, then the ledger check.
"""
