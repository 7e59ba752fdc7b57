"""People: the local view of registration's Jakpreneurs, by which enrolment checks verification and audience (R11)."""
