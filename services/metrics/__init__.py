"""The metrics service: the event ledger, the figures of the programme, its targets, and assessments.

Owns the ledger with its facts, totals and rollups, targets and assessments (see documents.py). Consumes everything that
registration and training publish, and its own assessments. Publishes `metrics.assessments.v1` and `metrics.programme.v1`.
A figure is a total that is incremented once for each batch of events; the ledger can recount every figure.

Features, from the lowest to the highest; each may import only those before it:

1. `ledger`: every event, the facts and the totals that follow from it, and their reconciliation.
2. `disclosure`: which figures the public may see (R18).
3. `figures`: reading totals and rollups; breakdowns and the funnel.
4. `progress`: the headline figures and their series.
5. `targets`: targets, and when they were reached (R16).
6. `assessments`: people's monthly figures and their verification (R6, R7, P6).
"""
