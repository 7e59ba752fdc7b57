"""Writes what the supervisor needs to run the platform: its own configuration and its programs'.

Everything lands in the platform's directory; nothing is started here. Next: control.py.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import yaml

from deploy.local import layout
from deploy.local.credentials import write_private
from deploy.local.kafka_broker import kafka_argv, prepare_kafka
from deploy.local.mongodb import mongodb_argv, prepare_mongodb
from deploy.local.platform import Platform
from deploy.local.ports import Ports

LONGEST_SOCKET_PATH = 100
"""Linux allows 107 bytes, and the supervisor adds a suffix while it makes the socket."""


@dataclass(frozen=True)
class Program:
    """One program under the supervisor. Its environment is what it needs and no more: keys are in there."""

    name: str
    argv: list[str]
    priority: int
    """Starts in this order and stops in the reverse one: services go before their servers."""
    stop_seconds: int
    autostart: bool
    directory: Path = layout.ROOT
    environment: dict[str, str] | None = None


def write_configuration(platform: Platform) -> Path:
    """Prepares the servers and writes every file; returns the path of `supervisord.conf`."""
    platform.directory.mkdir(parents=True, exist_ok=True)
    platform.logs.mkdir(parents=True, exist_ok=True)
    if len(str(socket_of(platform.directory))) > LONGEST_SOCKET_PATH:
        raise ValueError(f"{socket_of(platform.directory)} is too long for a socket: use a checkout nearer the root")
    if platform.own_mongodb:
        prepare_mongodb(platform.directory, platform.ports, platform.secrets)
    if platform.own_kafka:
        prepare_kafka(platform.directory, platform.ports, platform.secrets)
    write_prometheus_configuration(platform)
    write_private(platform.directory / "environment", shell_lines(platform.settings))
    file = configuration_of(platform.directory)
    write_private(file, render(platform))
    return file


def shell_lines(settings: dict[str, str]) -> str:
    """The services' settings for whoever runs one by hand: `set -a; . var/local/environment`."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())


def configuration_of(directory: Path) -> Path:
    """Where the supervisor's configuration of a platform is."""
    return directory / "supervisord.conf"


def socket_of(directory: Path) -> Path:
    """Where the supervisor of a platform takes commands."""
    return directory / "supervisor.sock"


def programs(platform: Platform) -> list[Program]:
    """Every program of the platform, in the order of their start."""
    found = []
    if platform.own_mongodb:
        found.append(Program("mongodb", mongodb_argv(platform.directory), 10, 60, autostart=True))
    if platform.own_kafka:
        found.append(Program("kafka", kafka_argv(platform.directory), 10, 60, autostart=True))
    if platform.alertmanager:
        found.append(Program("alertmanager", alertmanager_argv(platform), 20, 10, autostart=True))
    if platform.prometheus:
        found.append(Program("prometheus", prometheus_argv(platform), 20, 30, autostart=True))
    # Services are started by control.py when the servers can be used: at the first start MongoDB has
    # neither replica set nor user yet.
    found += [
        Program(
            service,
            [platform.python, "-m", f"services.{service}"],
            30,
            30,
            autostart=False,
            directory=platform.service_root,
            environment=platform.settings_of(service),
        )
        for service in platform.services
    ]
    return found


def render(platform: Platform) -> str:
    """The text of `supervisord.conf`.

    It begins with every port, so that two texts are equal only if all settings are.
    """
    socket = socket_of(platform.directory)
    head: dict[str, dict[str, object]] = {
        "unix_http_server": {"file": socket, "chmod": "0700"},
        "supervisord": {
            "logfile": platform.logs / "supervisord.log",
            "logfile_maxbytes": "5MB",
            "logfile_backups": 2,
            "pidfile": platform.directory / "supervisord.pid",
            "childlogdir": platform.logs,
        },
        "rpcinterface:supervisor": {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        "supervisorctl": {"serverurl": f"unix://{socket}"},
    }
    sections = {**head, **{f"program:{program.name}": options(platform, program) for program in programs(platform)}}
    listeners = ", ".join(f"{name} {port}" for name, port in platform.listeners.items())
    return f"; {listeners}\n" + "\n".join(
        f"[{title}]\n" + "".join(f"{name}={escape(str(value))}\n" for name, value in values.items())
        for title, values in sections.items()
    )


def options(platform: Platform, program: Program) -> dict[str, object]:
    """The supervisor's options for one program."""
    environment = {} if program.environment is None else {"environment": environment_line(program.environment)}
    return {
        "command": " ".join(quoted(part) for part in program.argv),
        "directory": program.directory,
        "priority": program.priority,
        "autostart": str(program.autostart).lower(),
        "autorestart": "true",
        "startsecs": 1,
        # Each retry waits a second longer than the one before: this rides out about seven minutes in
        # which a service can't even start, after which a person has to look.
        "startretries": 30,
        "stopwaitsecs": program.stop_seconds,
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": platform.logs / f"{program.name}.log",
        "stdout_logfile_maxbytes": "20MB",
        "stdout_logfile_backups": 3,
        **environment,
    }


def environment_line(environment: dict[str, str]) -> str:
    """Settings in the supervisor's own notation: quoted, between commas."""
    return ",".join(f"{name}={quoted(value)}" for name, value in environment.items())


def quoted(value: str) -> str:
    """A value in quotes that it doesn't hold itself: the supervisor knows no escape inside quotes."""
    for quote in "\"'":
        if quote not in value and "\n" not in value:
            return f"{quote}{value}{quote}"
    raise ValueError(f"can't pass on a value with both kinds of quotes or a line break: {value[:10]}…")


def escape(value: str) -> str:
    """`%` begins a variable in the supervisor's configuration."""
    return value.replace("%", "%%")


def prometheus_argv(platform: Platform) -> list[str]:
    """Prometheus on the loopback address, with a month of samples."""
    home = platform.directory / "prometheus"
    return [
        str(platform.prometheus),
        f"--config.file={home / 'prometheus.yml'}",
        f"--storage.tsdb.path={home / 'data'}",
        "--storage.tsdb.retention.time=30d",
        f"--web.listen-address=127.0.0.1:{platform.ports.prometheus}",
        "--log.level=warn",
    ]


def alertmanager_argv(platform: Platform) -> list[str]:
    """Alertmanager alone: without a cluster address it looks for no peers."""
    return [
        str(platform.alertmanager),
        f"--config.file={layout.PROMETHEUS_FILES / 'alertmanager.yml'}",
        f"--storage.path={platform.directory / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{platform.ports.alertmanager}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]


def write_prometheus_configuration(platform: Platform) -> None:
    """`deploy/prometheus/prometheus.yml` with this platform's ports and runbook in the place of the documented ones."""
    home = platform.directory / "prometheus"
    home.mkdir(parents=True, exist_ok=True)
    source = (layout.PROMETHEUS_FILES / "prometheus.yml").read_text()
    documented, chosen = dict(Ports.default().items()), dict(platform.ports.items())
    targets = {f"127.0.0.1:{port}": f"127.0.0.1:{chosen[name]}" for name, port in documented.items()}
    configuration = yaml.safe_load(source)
    configuration["global"]["external_labels"]["runbook"] = platform.runbook_url
    configuration["rule_files"] = [str(layout.PROMETHEUS_FILES / "rules.yml")]
    jobs = configuration["scrape_configs"] + configuration["alerting"]["alertmanagers"]
    for static in (entry for job in jobs for entry in job["static_configs"]):
        static["targets"] = [targets.get(target, target) for target in static["targets"]]
    (home / "prometheus.yml").write_text(yaml.safe_dump(configuration, sort_keys=False))
