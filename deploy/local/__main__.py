"""`python -m deploy.local up|down|restart|status|logs`: what `make up` and its kin call."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from deploy.local import control, layout
from deploy.local.platform import SERVICES, Platform
from deploy.local.processes import ServerError


def main() -> int:
    """Runs one command; returns the exit status."""
    asked = arguments()
    try:
        run(asked)
    except (control.ControlError, ServerError, ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description="The platform on this machine")
    parser.add_argument("command", choices=("up", "down", "restart", "status", "logs"))
    parser.add_argument("programs", nargs="*", help="what to restart: services or servers")
    parser.add_argument("--servers-only", action="store_true", help="leave the services out, to run them by hand")
    parser.add_argument("--directory", type=Path, default=layout.LOCAL_DIRECTORY, help="data and secrets")
    parser.add_argument("--logs", type=Path, default=layout.LOG_DIRECTORY)
    parser.add_argument("--service-root", type=Path, default=layout.ROOT, help="folder that holds the package `services`")
    return parser.parse_args()


def run(asked: argparse.Namespace) -> None:
    """Does what was asked for and says so."""
    directory, logs = asked.directory.resolve(), asked.logs.resolve()
    if asked.command == "up":
        platform = Platform.of(
            os.environ,
            directory=directory,
            logs=logs,
            services=() if asked.servers_only else SERVICES,
            service_root=asked.service_root.resolve(),
        )
        control.up(platform)
        print(control.status(directory))
        print(control.addresses(platform))
    elif asked.command == "down":
        print("The platform is down." if control.down(directory) else "The platform was down already.")
    elif asked.command == "restart":
        control.restart(Platform.of(os.environ, directory=directory, logs=logs), asked.programs)
        print(control.status(directory))
    elif asked.command == "status":
        print(control.status(directory))
    else:
        control.follow_logs(logs)


if __name__ == "__main__":
    sys.exit(main())
