"""MongoDB: the driver's only door, what a commit writes, leases."""
