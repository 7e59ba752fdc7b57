"""Ports of the local platform: documented ones, and a setting for each."""

from __future__ import annotations

import socket

import pytest

from deploy.local.ports import HeldPort, Ports, is_free, setting_of


def test_without_settings_the_documented_ports_are_used() -> None:
    """A newcomer follows the README and finds everything where it says."""
    expected = {
        "mongodb": 27118,
        "kafka_services": 19192,
        "kafka_partners": 19194,
        "kafka_controller": 19195,
        "registration": 8101,
        "registration_internal": 9101,
        "training": 8102,
        "training_internal": 9102,
        "metrics": 8103,
        "metrics_internal": 9103,
        "prometheus": 9190,
        "alertmanager": 9193,
    }
    assert expected == dict(Ports.from_environment({}).items())


def test_every_port_is_a_setting() -> None:
    """Something else has port 9101 on Budi's machine: he moves registration's internal port, and nothing else moves."""
    moved = Ports.from_environment({"JAKPRENEUR_REGISTRATION_INTERNAL_PORT": "9999"})
    changed = {name for name, port in moved.items() if dict(Ports.default().items())[name] != port}
    assert changed == {"registration_internal"}
    assert moved.registration_internal == 9999


@pytest.mark.parametrize("value", ["eighty", "0", "65536", "-1", "80.5"])
def test_a_port_that_is_none_is_refused_by_name(value: str) -> None:
    """A typing error is answered with the name of the setting that holds it."""
    with pytest.raises(ValueError, match="JAKPRENEUR_METRICS_PORT"):
        Ports.from_environment({"JAKPRENEUR_METRICS_PORT": value})


def test_an_empty_setting_means_the_default() -> None:
    """`JAKPRENEUR_METRICS_PORT= make up` is as if it weren't set."""
    assert Ports.from_environment({"JAKPRENEUR_METRICS_PORT": ""}) == Ports.default()


def test_settings_are_named_after_listeners() -> None:
    """The name in the error of a taken port is the one that `from_environment` reads."""
    assert setting_of("kafka_services") == "JAKPRENEUR_KAFKA_SERVICES_PORT"


def test_a_held_port_is_given_to_nobody_else_and_serves() -> None:
    """A test run holds a port: its broker can listen there, stop and listen again, and no other run gets it meanwhile."""
    held = HeldPort()
    address = ("127.0.0.1", held.number)
    for _ in range(2):
        with socket.create_server(address):  # sets SO_REUSEADDR, as servers do
            assert not is_free(held.number)
        with socket.socket() as another, pytest.raises(OSError, match="in use"):
            another.bind(address)
    held.release()
    with socket.socket() as another:
        another.bind(address)


def test_free_ports_are_let_go_at_the_end() -> None:
    """Two runs at once have no port in common; when a run has ended its ports can be had again."""
    with Ports.free() as ours, Ports.free() as theirs:
        assert not {number for _, number in ours.items()} & {number for _, number in theirs.items()}
    with socket.socket() as another:
        another.bind(("127.0.0.1", ours.mongodb))
