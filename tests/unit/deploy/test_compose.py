"""compose.yaml and the Dockerfile, as far as they can be checked without a Docker engine."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from deploy.local.layout import ROOT
from deploy.local.ports import Ports

COMPOSE_TEXT = (ROOT / "deploy" / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
PARTS: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
SERVICES = ("registration", "training", "metrics")


def test_every_part_is_there() -> None:
    """Servers, services and monitoring: the same platform as `make up`."""
    assert set(PARTS) == {"mongodb", "kafka", "prometheus", "alertmanager", *SERVICES}


@pytest.mark.parametrize("service", SERVICES)
def test_services_wait_for_healthy_servers(service: str) -> None:
    """A service that starts before the replica set exists would only crash and come back."""
    conditions = {name: wait["condition"] for name, wait in PARTS[service]["depends_on"].items()}
    assert conditions == {"mongodb": "service_healthy", "kafka": "service_healthy"}


@pytest.mark.parametrize("part", sorted(set(PARTS) - set(SERVICES)))
def test_what_others_wait_for_has_a_health_check(part: str) -> None:
    """Compose would wait for ever on a part that never reports."""
    assert PARTS[part]["healthcheck"]["test"]


def test_the_services_image_has_a_health_check_on_liveness() -> None:
    """Readiness would restart a service because its database is away."""
    assert "/health/live" in DOCKERFILE
    assert "/health/ready" not in DOCKERFILE


def test_published_ports_are_the_documented_ones_and_local() -> None:
    """Nothing is reachable from another machine, and internal ports are not published at all."""
    ports = Ports.default()
    published = [entry for part in PARTS.values() for entry in part.get("ports", [])]
    assert sorted(published) == sorted(
        [
            f"127.0.0.1:{ports.registration}:{ports.registration}",
            f"127.0.0.1:{ports.training}:{ports.training}",
            f"127.0.0.1:{ports.metrics}:{ports.metrics}",
            f"127.0.0.1:{ports.prometheus}:9090",
        ]
    )


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_listens_where_it_is_published_and_scraped(service: str) -> None:
    """Setting, published port and Prometheus' target agree."""
    ports = dict(Ports.default().items())
    settings = PARTS[service]["environment"]
    assert (settings["JAKPRENEUR_PORT"], settings["JAKPRENEUR_INTERNAL_PORT"]) == (
        ports[service],
        ports[f"{service}_internal"],
    )
    scraped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.compose.yml").read_text())["scrape_configs"]
    found = {job["job_name"]: job["dns_sd_configs"][0] for job in scraped}
    assert found[service] == {"names": [service], "type": "A", "port": ports[f"{service}_internal"]}


def test_images_are_pinned() -> None:
    """`latest` is another platform every month."""
    images = [part["image"] for part in PARTS.values()] + re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert all(":" in image and not image.endswith(":latest") for image in images), images


def test_services_run_with_few_rights() -> None:
    """Not root, no capabilities, nothing to write to but /tmp."""
    assert re.search(r"^USER (?!0)\d+:(?!0)\d+$", DOCKERFILE, re.MULTILINE)
    for service in SERVICES:
        assert PARTS[service]["cap_drop"] == ["ALL"]
        assert PARTS[service]["read_only"] is True


def test_packages_are_installed_by_hash() -> None:
    """What is in the image is what was reviewed."""
    assert "--require-hashes -r /build/requirements.txt" in DOCKERFILE


def test_compose_insists_on_every_secret() -> None:
    """Each variable must be set, and the example names each of them without a value."""
    variables = re.findall(r"\$\{(\w+)([^}]*)\}", COMPOSE_TEXT)
    assert {how for _, how in variables} == {":?see .env.example"}
    example = (ROOT / "deploy" / ".env.example").read_text()
    assert set(re.findall(r"^(\w+)=$", example, re.MULTILINE)) == {name for name, _ in variables}
    assert not re.findall(r"^\w+=.+$", example, re.MULTILINE)


def test_each_service_has_keys_of_its_own() -> None:
    """Training and metrics couldn't read a NIK even if they came by one; training seals its partners' contacts itself."""
    environments = {name: part.get("environment", {}) for name, part in PARTS.items()}
    keys = {
        name: env["JAKPRENEUR_VAULT_MASTER_KEYS"] for name, env in environments.items() if "JAKPRENEUR_VAULT_MASTER_KEYS" in env
    }
    assert set(keys) == {"registration", "training"}
    assert keys["registration"] != keys["training"]
    assert {name for name, env in environments.items() if "JAKPRENEUR_BLIND_INDEX_PEPPER" in env} == {"registration"}


def test_the_broker_has_the_same_security_as_the_local_one() -> None:
    """Login on every listener, and nothing allowed without an ACL."""
    script = (ROOT / "deploy/compose/kafka.sh").read_text()
    assert "SERVICES:SASL_PLAINTEXT,PARTNERS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT" in script
    assert "allow.everyone.if.no.acl.found=false" in script
    assert "auto.create.topics.enable=false" in script


def test_mounted_files_exist() -> None:
    """Docker would make an empty folder of a file that isn't there."""
    for part in PARTS.values():
        for source in (volume.split(":")[0] for volume in part.get("volumes", [])):
            assert not source.startswith(".") or (ROOT / "deploy" / source).exists(), source
