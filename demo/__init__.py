"""The demonstration: a seeded, wholly synthetic history of the programme, and the story that `make demo` tells with it."""
