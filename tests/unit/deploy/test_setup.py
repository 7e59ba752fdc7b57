"""`make setup` on machines that lack something."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from deploy.local import setup


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Packages that would be installed; nothing is."""
    asked: list[list[str]] = []

    def note(packages: list[str], *, check: bool = True) -> bool:
        asked.append(packages)
        return check

    monkeypatch.setattr(setup, "apt_install", note)
    monkeypatch.setattr(setup, "run", note)
    return asked


def machine(monkeypatch: pytest.MonkeyPatch, *, root: bool, required: list[str], optional: list[str]) -> None:
    """A machine with these rights that lacks these packages."""
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(setup, "missing_packages", lambda: (required, optional))


def test_without_root_one_message_names_everything(monkeypatch: pytest.MonkeyPatch, installs: list[list[str]]) -> None:
    """Budi isn't root: he gets one command to hand to somebody who is."""
    machine(monkeypatch, root=False, required=["openjdk-17-jre-headless", "maven"], optional=["prometheus"])
    with pytest.raises(setup.SetupError, match="-y openjdk-17-jre-headless maven prometheus\n"):
        setup.install_system_packages()
    assert installs == []


def test_without_root_monitoring_may_be_missing(
    monkeypatch: pytest.MonkeyPatch, installs: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Only Prometheus is missing: a notice, and on it goes."""
    machine(monkeypatch, root=False, required=[], optional=["prometheus"])
    setup.install_system_packages()
    assert installs == []
    assert "going on without monitoring: prometheus" in capsys.readouterr().out


def test_root_installs_what_is_missing(monkeypatch: pytest.MonkeyPatch, installs: list[list[str]], tmp_path: Path) -> None:
    """On a fresh machine everything is installed, and the note that kept services from starting is gone again."""
    machine(monkeypatch, root=True, required=["maven"], optional=["prometheus", "prometheus-alertmanager"])
    monkeypatch.setattr(setup, "POLICY_FILE", tmp_path / "policy-rc.d")
    setup.install_system_packages()
    update = ["apt-get", "update", "-qq"]
    assert installs == [update, ["maven"], ["prometheus", "prometheus-alertmanager"]]
    assert not (tmp_path / "policy-rc.d").exists()


def test_a_policy_of_the_machine_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The administrator's own policy file is neither changed nor deleted."""
    policy = tmp_path / "policy-rc.d"
    policy.write_text("theirs")
    monkeypatch.setattr(setup, "POLICY_FILE", policy)
    with setup.services_not_started():
        assert policy.read_text() == "theirs"
    assert policy.read_text() == "theirs"


def test_a_policy_of_ours_goes_even_when_the_install_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Left behind, it would keep the machine's services from starting for ever."""
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(setup, "POLICY_FILE", policy)

    def fail() -> None:
        with setup.services_not_started():
            assert policy.stat().st_mode & 0o111
            raise setup.SetupError("apt-get fails")

    with pytest.raises(setup.SetupError):
        fail()
    assert not policy.exists()


def test_changed_pins_install_again(tmp_path: Path) -> None:
    """A folder counts as made only for the content it was made from."""
    source, folder = tmp_path / "requirements.txt", tmp_path / "venv"
    folder.mkdir()
    source.write_text("a==1")
    assert not setup.is_stamped(folder, source)
    setup.stamp(folder, source)
    assert setup.is_stamped(folder, source)
    source.write_text("a==2")
    assert not setup.is_stamped(folder, source)
