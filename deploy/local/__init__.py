"""The platform on one machine, from real parts and without containers.

`setup` installs what is missing, `stack` starts MongoDB and Kafka as child processes (tests, bench),
`control` runs servers and services under the supervisor (`make up`). Start reading at `stack`.
"""
