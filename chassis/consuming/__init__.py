"""From Kafka to effects: nothing lost, nothing doubled, in order for each subject."""
