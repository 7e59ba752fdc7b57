"""What tests, the fault harness and bench share: service processes on a Stack, waiting, and forms to send.

platform.py runs services; cluster.py runs three servers of each kind, balancer.py and kafka_proxy.py stand before them;
waiting.py waits for conditions; forms.py makes registrations; asgi.py calls an app in process.
"""
