"""A user for each service in MongoDB and Kafka, with what it needs and no more. `python -m deploy.access` makes them."""
