"""Training's settings: what each environment makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from services.training.settings import TrainingSettings


@pytest.mark.parametrize(
    ("env", "setting", "expected"),
    [
        ("local", None, False),
        ("local", False, False),
        ("local", True, True),
        ("staging", None, True),
        ("staging", True, True),
        ("production", None, True),
        ("production", True, True),
    ],
)
def test_only_a_local_course_may_be_told_in_a_minute(env: Any, setting: bool | None, expected: bool) -> None:
    """The demonstration runs a whole course at once; where people really come, a class waits for its hour."""
    assert TrainingSettings(env=env, transitions_follow_clock=setting).rules().follow_clock is expected


@pytest.mark.parametrize("env", ["staging", "production"])
def test_outside_local_the_clock_can_not_be_switched_off(env: Any) -> None:
    """Like the development issuer: the service doesn't start."""
    with pytest.raises(ValueError, match="JAKPRENEUR_TRANSITIONS_FOLLOW_CLOCK"):
        TrainingSettings(env=env, transitions_follow_clock=False).rules()


def test_the_environment_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a deployment sets it."""
    monkeypatch.setenv("JAKPRENEUR_TRANSITIONS_FOLLOW_CLOCK", "true")
    assert TrainingSettings().rules().follow_clock
