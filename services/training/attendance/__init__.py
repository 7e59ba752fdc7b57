"""Attendance (R12): scans that devices upload."""
