"""What operators see and do in every service, over HTTP: dead letters, positions, the outbox."""
