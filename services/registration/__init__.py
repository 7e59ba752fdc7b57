"""The registration service: people, their businesses and permits, and all personal data."""
