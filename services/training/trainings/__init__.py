"""Trainings (R10): announcing, changing, moving on, finding."""
