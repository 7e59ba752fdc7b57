"""The local view of registration's people."""
