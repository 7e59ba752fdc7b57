"""Chassis settings from the environment that a Stack gives to services."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from chassis.settings import Settings

S = TypeVar("S", bound=Settings)
_PREFIX = "JAKPRENEUR_"


def settings_of(environment: Mapping[str, str], kind: type[S] = Settings, **changes: Any) -> S:  # type: ignore[assignment] # the default
    """Settings as a process with this environment would read them, changed where asked."""
    given: dict[str, Any] = {
        name.removeprefix(_PREFIX).lower(): json.loads(value) if value.startswith("{") else value
        for name, value in environment.items()
        if name.startswith(_PREFIX)
    }
    return kind(**{**given, **changes})
