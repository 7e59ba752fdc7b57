"""Brings the platform up and down under the supervisor, and says how it is.

Order of a start: servers, then MongoDB's replica set and user, then services, then wait until each of them
says that it is ready.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from deploy.access.environment import grant_in_kafka, grant_in_mongodb
from deploy.local import layout
from deploy.local.platform import PREFIX, Platform
from deploy.local.ports import is_free, setting_of
from deploy.local.processes import tail
from deploy.local.stack import kafka_is_ready, open_mongodb
from deploy.local.supervisor import configuration_of, render, socket_of, write_configuration

SERVERS_SECONDS = 60
SERVICES_SECONDS = 90
DOWN_SECONDS = 150


class ControlError(Exception):
    """The platform isn't as it was asked to be; the message is for the person who asked."""


def up(platform: Platform) -> None:
    """Starts whatever isn't running and waits until all of it is ready; harmless when all is."""
    if is_supervised(platform.directory):
        refuse_other_settings(platform)
        supervisorctl(platform.directory, "start", *platform.servers, *platform.monitors)
    else:
        refuse_taken_ports(platform)
        configuration = write_configuration(platform)
        run_supervisor("supervisord", "-c", str(configuration))
    wait_for_servers(platform)
    if platform.services:
        supervisorctl(platform.directory, "start", *platform.services)
        wait_for_services(platform)


def restart(platform: Platform, programs: Sequence[str]) -> None:
    """Stops and starts some programs, and waits until the services and our servers among them are ready."""
    known = [*platform.servers, *platform.services, *platform.monitors]
    if not programs or not set(programs) <= set(known):
        raise ControlError(f"name what to restart: {', '.join(known)}")
    if not is_supervised(platform.directory):
        raise ControlError("The platform is down. `make up` starts it.")
    supervisorctl(platform.directory, "restart", *programs)
    wait_for_servers(platform)
    wait_for_services(platform)


def down(directory: Path) -> bool:
    """Stops everything and waits for the end of it; False if nothing was running."""
    if not is_supervised(directory):
        return False
    pid = int((directory / "supervisord.pid").read_text())
    supervisorctl(directory, "shutdown")
    wait(lambda: not lives(pid), DOWN_SECONDS, lambda: f"the supervisor (pid {pid}) doesn't end")
    return True


def status(directory: Path) -> str:
    """The supervisor's own words on each program."""
    if not is_supervised(directory):
        return "The platform is down. `make up` starts it."
    return supervisorctl(directory, "status").rstrip()


def addresses(platform: Platform) -> str:
    """Where to look."""
    ports = dict(platform.ports.items())
    known = [(service, f"http://127.0.0.1:{ports[service]}/openapi.json") for service in platform.services]
    known += [(monitor, f"http://127.0.0.1:{ports[monitor]}") for monitor in platform.monitors]
    return "\n".join(f"  {name:<14}{address}" for name, address in known)


def follow_logs(logs: Path) -> None:
    """Shows the logs as they grow, until Ctrl-C."""
    files = sorted(str(file) for file in logs.glob("*.log"))
    if not files:
        raise ControlError(f"there are no logs in {logs} yet")
    with contextlib.suppress(KeyboardInterrupt):
        subprocess.run(["tail", "-n", "20", "-F", *files], check=False)


# --- Waiting -----------------------------------------------------------------------------------------


def wait_for_servers(platform: Platform) -> None:
    """Until MongoDB and Kafka, as far as they are ours, can be used by the services, each as its own user."""
    checks: dict[str, Callable[[], bool]] = {
        "mongodb": lambda: open_mongodb(platform.ports, platform.secrets),
        "kafka": lambda: kafka_is_ready(platform.ports, platform.secrets),
    }
    for server in platform.servers:
        wait_for(platform, server, checks[server], SERVERS_SECONDS)
    if platform.own_mongodb:
        grant_in_mongodb(platform.settings, PREFIX, platform.passwords)
    if platform.own_kafka:
        grant_in_kafka(platform.settings, PREFIX, "", platform.passwords)


def wait_for_services(platform: Platform) -> None:
    """Until each service answers that it is ready."""
    for service in platform.services:
        wait_for(platform, service, partial(answers, platform.ready_url(service)), SERVICES_SECONDS)


def wait_for(platform: Platform, program: str, ready: Callable[[], bool], seconds: float) -> None:
    """Until one program is ready; its log's end is in the error if it isn't in time."""

    def problem() -> str:
        log = tail(platform.logs / f"{program}.log")
        return f"{program} is not ready after {seconds:.0f} s\n{status(platform.directory)}\n{log}"

    wait(ready, seconds, problem)


def wait(done: Callable[[], bool], seconds: float, problem: Callable[[], str]) -> None:
    """Until `done()`, or raises ControlError with the problem."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise ControlError(problem())
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    # A proxy of the environment is not for this machine's own addresses.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


# --- The supervisor ----------------------------------------------------------------------------------


def refuse_taken_ports(platform: Platform) -> None:
    """A port that somebody else has would only show as a program that keeps ending."""
    taken = [(name, port) for name, port in platform.listeners.items() if not is_free(port)]
    if taken:
        lines = [f"  {port} ({name}): set {setting_of(name)} to use another" for name, port in taken]
        raise ControlError("\n".join(["something else listens on ports that the platform needs:", *lines]))


def refuse_other_settings(platform: Platform) -> None:
    """Half of the platform with old settings and half with new ones would be worse than neither."""
    if configuration_of(platform.directory).read_text() != render(platform):
        raise ControlError("the platform runs with other settings: `make down` first, then `make up`")


def is_supervised(directory: Path) -> bool:
    """Whether a supervisor runs for this directory; a pid file alone may be left from a crash."""
    file = directory / "supervisord.pid"
    if not file.exists() or not socket_of(directory).exists():
        return False
    return lives(int(file.read_text() or 0)) and "refused" not in supervisorctl(directory, "pid")


def lives(pid: int) -> bool:
    """Whether a process exists and has not merely not been reaped."""
    try:
        return pid > 0 and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def supervisorctl(directory: Path, *command: str) -> str:
    """Gives the supervisor a command. Its exit status is no guide (3 if any program is stopped)."""
    return run_supervisor("supervisorctl", "-c", str(configuration_of(directory)), *command)


def run_supervisor(program: str, *arguments: str) -> str:
    """Runs one of the supervisor's two programs and returns what it said."""
    done = subprocess.run(
        # As a module, since a moved environment leaves scripts with a wrong first line.
        [sys.executable, "-W", "ignore", "-m", f"supervisor.{program}", *arguments],
        cwd=layout.ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if program == "supervisord" and done.returncode != 0:
        raise ControlError(f"the supervisor doesn't start:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr
