"""What tests, the fault harness and bench share: service processes on a Stack, waiting, and forms to send.

platform.py runs services; waiting.py waits for conditions; forms.py makes registrations; asgi.py calls an app in process.
"""
