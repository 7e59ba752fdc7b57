"""What the services promise each other: the envelope, the event classes, their stored schemas and samples.

Imports the standard library and pydantic only, so that a partner can read or vendor it alone.
"""
