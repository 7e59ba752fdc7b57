"""Load by wrk: registrations of people who aren't there yet, some of people who are."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench import bodies

SCRIPT = Path(__file__).parent / "post.lua"
TEMPLATES = 2000
_MOST_PER_SECOND = 8000


@dataclass(frozen=True, slots=True)
class Window:
    """What one window of load saw."""

    per_second: float
    p50_ms: float
    p99_ms: float


class Load:
    """People are numbered; each window takes numbers that no window took before."""

    def __init__(self, directory: Path, token: str) -> None:
        self._file = directory / "bodies.jsonl"
        self._token = token
        self._next = 0
        bodies.write_templates(self._file, TEMPLATES, seed=7)

    def window(
        self, url: str, connections: int, seconds: int, *, repeat: int = 0, known: int = 0, first: int | None = None
    ) -> Window:
        """Post for so many seconds; every `repeat`-th body is of one of the first `known` people.

        `first` sets the number to begin with: a peer gets the same people as we. Raises if requests failed, or if others than the
        repeated ones were refused.
        """
        begin = self._next if first is None else first
        if first is None:
            self._next += seconds * _MOST_PER_SECOND
        environment = os.environ | {
            "BODIES": str(self._file),
            "FIRST": str(begin),
            "KNOWN": str(known),
            "REPEAT": str(repeat),
            "TOKEN": self._token,
        }
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT), f"{url}/v1/jakpreneurs"]
        output = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=seconds + 120
        ).stdout
        answer: dict[str, float] = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
        if answer["failed"] or (answer["refused"] and not repeat):
            raise RuntimeError(f"{answer['failed']} requests failed, {answer['refused']} were refused: not a measurement")
        return Window(answer["requests"] / answer["seconds"], answer["p50_ms"], answer["p99_ms"])
