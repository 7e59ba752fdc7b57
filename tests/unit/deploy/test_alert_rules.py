"""Alert rules are complete: `promtool` tests what they say, this tests that none was forgotten."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from deploy.local.layout import PROMETHEUS_FILES, ROOT

GROUPS = yaml.safe_load((PROMETHEUS_FILES / "rules.yml").read_text())["groups"]
ALERTS: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"] if "alert" in rule]
CASES = yaml.safe_load((PROMETHEUS_FILES / "rules_test.yml").read_text())["tests"]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_what_to_do(alert: dict[str, Any]) -> None:
    """Whoever is woken gets a severity, what happened, and the page that helps."""
    assert alert["labels"]["severity"] in {"page", "warning"}
    assert alert["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert alert["annotations"]["runbook_url"] == f"{{{{ $externalLabels.runbook }}}}#{alert['alert'].lower()}"
    assert f"\n## {alert['alert']}\n" in (ROOT / "docs" / "runbook.md").read_text()


@pytest.mark.parametrize("name", [alert["alert"] for alert in ALERTS])
def test_an_alert_is_shown_to_ring_and_to_stay_quiet(name: str) -> None:
    """A rule that never rings looks just like a platform that is well."""
    outcomes = [bool(check["exp_alerts"]) for case in CASES for check in case["alert_rule_test"] if check["alertname"] == name]
    assert {True, False} == set(outcomes)
