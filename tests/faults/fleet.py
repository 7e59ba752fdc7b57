"""The fleet: the platform's processes by role, and a supervisor that restarts what dies, each time with a new seed.

A process that SIGKILLed itself at a fail point has named the point in the last line of its log.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.harness.platform import Platform, ServiceProcess
from tests.harness.waiting import eventually_async

SIGKILLED = -9
_WATCH_SECONDS = 0.05
_RELAXED = 4.0
_MARK = b"fail_point "


@dataclass
class Post:
    """A place in the fleet: a service and role, and the fail points that its processes are armed with."""

    service: str
    role: str
    points: Mapping[str, float]
    env: Mapping[str, str] = field(default_factory=dict)
    process: ServiceProcess | None = None
    started: float = 0.0
    not_before: float = 0.0
    faults: Sequence[str] = ()  # see Platform.start
    expected: bool = False  # its end was our doing
    weight: float = 2.0  # of its chances: a busy post comes by its fail points more often than an idle one

    @property
    def name(self) -> str:
        """E.g. `training relay`."""
        return f"{self.service} {self.role}"

    @property
    def running(self) -> ServiceProcess | None:
        """Its process, if that lives."""
        return self.process if self.process is not None and self.process.exit_code is None else None


class Fleet:
    """Starts the posts, watches and restarts them, counts how they end."""

    def __init__(self, platform: Platform, posts: Sequence[Post], seed: int, lifetime_seconds: float) -> None:
        self.posts = list(posts)
        self.kills: Counter[str] = Counter()  # by post
        self.points: Counter[str] = Counter()  # by fail point
        self.exits: Counter[str] = Counter()  # ends that no fail point made
        self._platform = platform
        self._random = random.Random(seed)
        self._lifetime = lifetime_seconds
        self._armed = False

    @property
    def killed(self) -> int:
        """SIGKILLs at fail points so far."""
        return sum(self.kills.values())

    def ports(self, service: str) -> list[int]:
        """Public ports of the service's API replicas that live."""
        found = [post.running for post in self.posts if post.service == service and post.role in ("api", "all")]
        return [int(process.url.rpartition(":")[2]) for process in found if process is not None]

    async def start(self) -> None:
        """Start all, unarmed, and wait until they are ready."""
        for post in self.posts:
            self._start(post)
        await self.ready()

    async def ready(self) -> None:
        """Wait until every process says that it is ready."""
        for post in self.posts:
            await self.is_ready(post)

    async def is_ready(self, post: Post) -> None:
        """Wait until one says so."""

        async def is_ready() -> bool:
            return post.running is not None and await asyncio.to_thread(post.running.ready)

        await eventually_async(is_ready, 60, f"{post.name} is ready")

    def arm(self) -> None:
        """From now on processes start with fail points; those that run are replaced by and by."""
        self._armed = True
        for post in self.posts:
            self._replace(post)

    def relax(self) -> None:
        """Enough kills: from now on processes live longer, and the clients get on with their work."""
        self._lifetime *= _RELAXED

    def disarm(self) -> None:
        """The last crash of the run: all at once, and back without fail points."""
        self._armed = False
        for post in self.posts:
            self._replace(post)

    async def kill(self, post: Post) -> None:
        """SIGKILL, by us and at no fail point; `watch` starts it again."""
        post.expected = True
        if post.process is not None:
            await asyncio.to_thread(post.process.kill)

    async def restart(self, post: Post, env: Mapping[str, str] | None = None, faults: Sequence[str] = ()) -> int:
        """SIGTERM; returns the exit code. `watch` starts it again, this once with `env` and `faults` besides."""
        process, plain = post.process, post.env
        if process is None:
            raise ValueError(f"{post.name} was never started")
        post.expected, post.env, post.faults = True, {**plain, **(env or {})}, faults
        process.ask_to_stop()
        code = await asyncio.to_thread(process.wait)

        async def started() -> bool:
            return post.process is not process

        try:
            await eventually_async(started, 10, f"{post.name} is started again")
        finally:
            post.env, post.faults = plain, ()
        return code

    def _replace(self, post: Post) -> None:
        if post.running is not None:
            post.running.kill()
        self._start(post)

    async def watch(self) -> None:
        """Restart whatever dies, until cancelled."""
        while True:
            for post in self.posts:
                process = post.process
                if process is None or process.exit_code is None:
                    continue
                if post.not_before == 0.0:
                    self._count(post, process)
                if time.monotonic() >= post.not_before:
                    self._start(post)
            await asyncio.sleep(_WATCH_SECONDS)

    def _count(self, post: Post, process: ServiceProcess) -> None:
        point = _point(process)
        if post.expected:
            post.expected, post.not_before = False, time.monotonic()
        elif process.exit_code == SIGKILLED and point is not None:
            self.kills[post.name] += 1
            self.points[point] += 1
            lived = (time.monotonic() - post.started) / self._lifetime
            post.weight = min(10.0, max(0.02, post.weight * min(1.6, max(0.6, lived**0.5))))
            process.log.unlink(missing_ok=True)
            post.not_before = time.monotonic()
        else:
            self.exits[f"{post.name}: {process.exit_code}"] += 1
            # As a supervisor: what ends by itself right after its start is not started in a tight loop.
            post.not_before = time.monotonic() + 0.5

    def _start(self, post: Post) -> None:
        env = dict(post.env)
        if self._armed and post.points:
            # A little apart from each other, so that two processes of one post don't die in step.
            table = ",".join(
                f"{name}={chance * post.weight * self._random.uniform(0.6, 1.6):.6f}" for name, chance in post.points.items()
            )
            env["JAKPRENEUR_FAIL_POINTS"] = f"{table};{self._random.randrange(2**31)}"
        post.process = self._platform.start(post.service, post.role, env, post.faults)
        post.started, post.not_before = time.monotonic(), 0.0

    def running(self, service: str, role: str) -> list[ServiceProcess]:
        """The living processes of a service and role."""
        found = [post.running for post in self.posts if post.service == service and post.role == role]
        return [process for process in found if process is not None]

    def by_pid(self, pid: int) -> ServiceProcess | None:
        """The living process with this id."""
        return next((p.running for p in self.posts if p.running is not None and p.running.pid == pid), None)


def _point(process: ServiceProcess) -> str | None:
    with process.log.open("rb") as log:
        log.seek(max(0, process.log.stat().st_size - 4096))
        tail = log.read()
    return tail.rpartition(_MARK)[2].split(b"\n")[0].decode() if _MARK in tail else None
