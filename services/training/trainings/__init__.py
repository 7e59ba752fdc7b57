"""Trainings (R10): announcing, changing, moving through their states, finding."""
