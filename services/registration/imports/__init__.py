"""Imports: an officer's file becomes registrations."""
