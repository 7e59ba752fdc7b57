"""From start to stop of a service process."""
