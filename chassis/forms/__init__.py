"""What people and programs hand in: strict models, ISO dates, field errors. No web framework."""
