"""The walls in .importlinter stand round everything: what is new must be named there, or it would stand outside of them.

That every feature and every room is listed, import-linter sees by itself (`exhaustive`); the rest is seen to here.
"""

from __future__ import annotations

import configparser

from deploy.local.layout import ROOT

WALLS = configparser.ConfigParser()
WALLS.read(ROOT / ".importlinter")
CONTRACT = "importlinter:contract:"
NOT_PURE = {"store", "models"}  # the database's door, and forms that HTTP and rules share


def listed(contract: str, field: str) -> list[str]:
    """One field of a contract, line by line."""
    return WALLS[CONTRACT + contract][field].split("\n")[1:]


def services() -> set[str]:
    """The services that there are."""
    return {path.parent.name for path in (ROOT / "services").glob("*/__main__.py")}


def test_every_package_is_inside() -> None:
    """A new package at the top would be seen by no contract at all."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert set(WALLS["importlinter"]["root_packages"].split()) == packages
    layers = {name for layer in listed("whole", "layers") for name in layer.split(" | ")}
    assert layers == packages
    assert set(listed("no-circles", "ancestors")) == packages


def test_every_service_has_layers_and_is_a_stranger() -> None:
    """A fourth service comes: it lists its features, and imports no other."""
    assert {name for name in services() if WALLS.has_section(CONTRACT + name)} == services()
    assert set(listed("services-are-strangers", "modules")) == {f"services.{name}" for name in services()}


def test_lists_are_exhaustive() -> None:
    """A new feature, room or part of the chassis breaks the build until it has its place."""
    for contract in ("chassis", "rooms", *services()):
        assert WALLS[CONTRACT + contract].getboolean("exhaustive"), contract


def test_what_stands_below_the_use_cases_is_pure() -> None:
    """Somebody writes a rule into a room of a new name: it may import no server either."""
    layers = [layer.replace("(", "").replace(")", "").split(" | ") for layer in listed("rooms", "layers")]
    first = next(number for number, layer in enumerate(layers) if "store" in layer)
    rooms = {room for layer in layers[first:] for room in layer} - NOT_PURE
    pure = {name.rpartition(".")[2] for name in listed("rules-are-pure", "source_modules")}
    of_fields = {path.stem for path in (ROOT / "services/registration/fields").glob("*.py")}  # listed as the whole folder
    assert rooms - of_fields <= pure
    assert {"fields", "changes", "documents"} <= pure


def test_no_wall_has_a_back_door() -> None:
    """Indirect imports count, and nothing is ignored."""
    text = (ROOT / ".importlinter").read_text()
    assert "allow_indirect_imports" not in text
    assert "ignore_imports" not in text
