"""Starting, watching and ending a server as a child process of ours."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
# Loaded here and not in the child: between fork and exec nothing may be imported or locked.
LIBC = ctypes.CDLL(None, use_errno=True)


class ServerError(RuntimeError):
    """A server did not start, or ended by itself; the message ends with the tail of its log."""


class Server:
    """One child process that dies with us, and its log file."""

    def __init__(self, name: str, argv: Sequence[str], log: Path, environment: dict[str, str] | None = None):
        self.name = name
        self.log = log
        self._argv = list(argv)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise ServerError(f"{self.name} is not running")
        return self._process.pid

    def spawn(self) -> None:
        """Starts the process; whether it is ready is for the caller to find out."""
        if self._process is not None and self._process.poll() is None:
            raise ServerError(f"{self.name} is running already (pid {self._process.pid})")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        parent = os.getpid()

        def die_with_parent() -> None:
            # Danger: the signal comes when the *thread* that started the child ends, even if the process
            # lives on. So start a stack in a thread that outlives it: the main one, not a pool's.
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # the parent died before the line above: no signal will come
                os._exit(1)

        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if self._environment is None else {**os.environ, **self._environment},
                start_new_session=True,  # Ctrl-C in a terminal is for the tests, which then stop us in order
                preexec_fn=die_with_parent,  # noqa: PLW1509 - between fork and exec it takes no lock and imports nothing
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Waits until `ready()`; raises ServerError if the process ends first or time runs out."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self._process is None or self._process.poll() is not None:
                code = None if self._process is None else self._process.returncode
                raise ServerError(f"{self.name} ended with status {code}\n{tail(self.log)}")
            if time.monotonic() > deadline:
                raise ServerError(f"{self.name} is not ready after {seconds:.0f} s\n{tail(self.log)}")
            time.sleep(0.05)

    def ask_to_stop(self) -> None:
        """Sends SIGTERM and does not wait."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            # A test may have frozen it: a stopped process doesn't see SIGTERM.
            self._process.send_signal(signal.SIGCONT)

    def stop(self, seconds: float = 20) -> None:
        """SIGTERM, then SIGKILL when it takes too long."""
        self.ask_to_stop()
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """SIGKILL, and waits for the process to be gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log, to be shown in an error."""
    if not log.exists():
        return f"({log} does not exist)"
    with log.open("rb") as opened:
        opened.seek(max(0, log.stat().st_size - 16_384))
        last = opened.read().decode(errors="replace").splitlines()[-lines:]
    return "\n".join([f"the last lines of {log}:", *(line[:400] for line in last)])
