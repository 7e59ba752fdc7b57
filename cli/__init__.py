"""The `jakpreneur` command: officers' verbs through the public APIs, operators' verbs through the chassis."""
