"""The services. They never import each other: what one must know of another arrives as an event."""
