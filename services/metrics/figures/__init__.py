"""Figures: reading totals and rollups; breakdowns by a dimension, and the funnel of stages (R8, R18)."""
