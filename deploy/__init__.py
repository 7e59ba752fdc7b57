"""How the platform is run: the local stack, the image, compose, Prometheus.

Holds no business rule and is imported by no service; tests, bench and demo use `deploy.local.stack`.
"""
