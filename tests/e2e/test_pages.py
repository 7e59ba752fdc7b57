"""The operators' pages as they stand: every command of the runbook and of the backup page, on a platform as of `make up`."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.publishing import kafka
from chassis.settings import Settings
from contracts.registration import TOPIC
from deploy.local.layout import ROOT
from deploy.local.ports import Ports, setting_of
from tests.harness.settings import settings_of
from tests.harness.waiting import eventually

_UP_SECONDS = 240
_SHIM = """#!/bin/sh
# {name}, for the platform of this test
{body}
"""


def blocks(page: str) -> list[str]:
    """The commands of a page, block by block, in order."""
    text = (ROOT / "docs" / page).read_text()
    return [re.sub(r"(?m)^  ", "", found) for found in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)]


class Checkout:
    """A folder that looks like a checkout with a platform that is up: `make`, `bin/jakpreneur`, `var/`."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self.folder = folder
        self._ports = dict(ports.items())
        (folder / "bin").mkdir()
        local = f'"{sys.executable}" -m deploy.local "$@" --directory "{folder}/var/local" --logs "{folder}/var/log"'
        self._write("make", f'command=$1; shift; set -- "$command" $(echo "$*" | sed -n s/PROGRAMS=//p); exec {local}')
        environment = f'set -a; . "{folder}/var/local/environment"; set +a'
        self._write("jakpreneur", f'{environment}; exec "{sys.executable}" -m cli "$@"')

    def _write(self, name: str, body: str) -> None:
        file = self.folder / "bin" / name
        file.write_text(_SHIM.format(name=name, body=f'cd "{ROOT}" && {body}'))
        file.chmod(0o755)

    def run(self, commands: str, *, allowed: tuple[int, ...] = (0,)) -> str:
        """Run commands as they stand, on this platform's ports; a block ends with its last command's exit code."""
        documented = dict(Ports.default().items())
        for name, port in documented.items():
            commands = commands.replace(f"localhost:{port}", f"localhost:{self._ports[name]}")
            commands = re.sub(rf"\b([PI])={port}\b", rf"\1={self._ports[name]}", commands)
        given = {setting_of(name): str(port) for name, port in self._ports.items()}
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euc", commands],
            cwd=self.folder,
            env={**os.environ, **given, "PATH": path, "USER": "rini", "COLUMNS": "300", "PYTHONPATH": str(ROOT)},
            check=False,
            capture_output=True,
            text=True,
            timeout=_UP_SECONDS,
        )
        assert done.returncode in allowed, f"{commands}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def settings(self) -> dict[str, str]:
        """The settings of the platform, the administrator's logins among them."""
        lines = (self.folder / "var/local/environment").read_text().splitlines()
        return {name: value.strip("'\"") for name, _, value in (line.partition("=") for line in lines)}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A platform that is up."""
    with Ports.free() as ports:
        made = Checkout(tmp_path_factory.mktemp("checkout"), ports)
        try:
            made.run("make up")
            yield made
        finally:
            made.run("make down")


async def rubbish(settings: dict[str, str]) -> None:
    """A message that nobody can read, in a topic that metrics and training read."""
    made: Settings = settings_of(settings)
    producer = kafka.producer(made, "tester")
    await producer.start()
    try:
        await producer.send_and_wait(TOPIC, b"?", key=b"jkp_4Yq0pV7sT2mXb1Zk")
    finally:
        await producer.stop()


def test_the_runbook(checkout: Checkout) -> None:
    """Block after block, with a letter that is really there; only where a page says so may a command end with 1."""
    asyncio.run(rubbish(checkout.settings()))
    first, *others = blocks("runbook.md")

    def letter() -> str:
        found = re.search(r"ltr_[0-9a-f]{24}", checkout.run("jakpreneur dead-letters list metrics"))
        assert found is not None
        return found[0]

    eventually(letter, 30, "a dead letter")
    wanted, ran = letter(), 0
    for block in others:
        commands = re.sub(r"LETTER=\S+", f"LETTER={wanted}", block)
        if "$LETTER" in commands and "LETTER=" not in commands:
            commands = f"LETTER={wanted}\n{commands}"
        # Nothing is to be redriven successfully here: the message is rubbish for good.
        checkout.run(f"{first}\n{commands}", allowed=(0, 1) if "redrive" in commands else (0,))
        ran += 1
    assert ran > 20
    assert "ltr_" not in checkout.run("jakpreneur dead-letters list metrics")
    assert "Pesan percobaan dari mitra" in checkout.run("jakpreneur dead-letters history metrics")


@pytest.mark.slow
def test_backup_and_restore(checkout: Checkout, tmp_path: Path) -> None:
    """Who registered before the backup is there after the restore, who came later isn't, and all is sound."""
    cold, restore, prove, *_ = (block.replace("/tmp/", f"{tmp_path}/") for block in blocks("backup.md"))  # noqa: S108 - the page's own

    def registered() -> str:
        token = "$(bin/jakpreneur token --role officer)"
        return checkout.run(f'curl -s localhost:8101/v1/jakpreneurs -H "Authorization: Bearer {token}"')

    def register(nik: str, name: str) -> None:
        body = (
            f'{{"nik": "{nik}", "name": "{name}", "birth_date": "1990-12-05", "gender": "female", "phone": "081234567890", '
            '"kelurahan": "31.71.01.1001", "category": "pemula", '
            '"consent": {"version": "2021-01", "given_at": "2021-02-01T09:30:00+07:00"}}'
        )
        checkout.run(f"curl -sf localhost:8101/v1/jakpreneurs -H 'Content-Type: application/json' -d '{body}'")

    register("3171014512909001", "Siti Contoh")
    checkout.run(cold)
    before = registered()
    register("3171014512909002", "Sita Contoh")
    assert registered() != before
    checkout.run(restore)
    assert registered() == before
    proof = checkout.run(prove)
    assert '"difference":0' in proof
    assert "all sound" in proof
