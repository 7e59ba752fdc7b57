"""The metrics service: the event ledger, assessments, targets and every figure of the programme.

Consumes everything that registration and training publish, and its own assessments. Publishes `metrics.assessments.v1` and
`metrics.programme.v1`. A figure is a total that was incremented once per batch; the ledger can recount every one of them.
"""
