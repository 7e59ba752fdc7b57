"""Attendance (R12): scans of devices."""
