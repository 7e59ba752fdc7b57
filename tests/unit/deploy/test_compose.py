"""compose.yaml and the Dockerfile, as far as they can be checked without a Docker engine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.access.grants import user_of
from deploy.local.layout import ROOT
from deploy.local.ports import Ports

COMPOSE_TEXT = (ROOT / "deploy" / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
PARTS: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
SERVICES = ("registration", "training", "metrics")


def test_every_part_is_there() -> None:
    """Servers, services and monitoring: the same platform as `make up`."""
    assert set(PARTS) == {"mongodb", "kafka", "access", "prometheus", "alertmanager", *SERVICES}


@pytest.mark.parametrize("service", SERVICES)
def test_services_wait_for_healthy_servers(service: str) -> None:
    """A service that starts before the replica set exists would only crash and come back."""
    conditions = {name: wait["condition"] for name, wait in PARTS[service]["depends_on"].items()}
    assert conditions == {
        "mongodb": "service_healthy", "kafka": "service_healthy", "access": "service_completed_successfully",
    }  # fmt: skip


@pytest.mark.parametrize("part", sorted(set(PARTS) - {*SERVICES, "access"}))
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


def test_images_are_pinned(tmp_path: Path) -> None:
    """A tag is another image every month: servers run by digest, which is written down where they were first pulled."""
    servers = [part["image"] for part in PARTS.values() if part["image"] != "jakpreneur:local"]
    assert all(re.fullmatch(r"\$\{\w+_IMAGE:\?run deploy/pin-images.sh\}", image) for image in servers), servers
    assert all(":" in image and not image.endswith(":latest") for image in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    digest = "sha256:" + "ab" * 32
    docker.write_text(f'#!/bin/sh\n[ "$1" = pull ] || echo "${{5%%:*}}@{digest}"\n')
    docker.chmod(0o755)
    env = tmp_path / ".env"
    env.write_text("MONGODB_PASSWORD=x\nMONGODB_IMAGE=\nKAFKA_IMAGE=old\n")
    for _ in range(2):
        path = {"PATH": f"{docker.parent}:/usr/bin:/bin"}
        subprocess.run([str(ROOT / "deploy/pin-images.sh"), str(env)], check=True, env=path)
        lines = env.read_text().splitlines()
        assert lines[:2] == ["MONGODB_PASSWORD=x", f"MONGODB_IMAGE=mongo:8.0@{digest}"]
        assert len(lines) == 1 + len(servers)
        assert {line.split("=")[0] for line in lines[1:]} == {image.split(":")[0].removeprefix("${") for image in servers}


def test_services_run_with_few_rights() -> None:
    """Not root, no capabilities, nothing to write to but /tmp."""
    assert re.search(r"^USER (?!0)\d+:(?!0)\d+$", DOCKERFILE, re.MULTILINE)
    for service in (*SERVICES, "access"):
        assert PARTS[service]["read_only"] is True
        assert "cap_add" not in PARTS[service]


@pytest.mark.parametrize("part", sorted(PARTS))
def test_no_part_can_take_the_machine(part: str) -> None:
    """A server that was broken into gets no rights and no more memory, processor or processes than it was given."""
    found = PARTS[part]
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["mem_limit"]
    assert found["cpus"]
    assert found["pids_limit"]


def test_each_service_is_its_own_user() -> None:
    """In MongoDB and in Kafka; the administrators' passwords are known to the servers and to what makes the users."""
    for service in SERVICES:
        settings = PARTS[service]["environment"]
        user, name = user_of(service, "jakpreneur"), service.upper()
        assert settings["JAKPRENEUR_MONGODB_URL"].startswith(f"mongodb://{user}:${{{name}_MONGODB_PASSWORD:")
        assert settings["JAKPRENEUR_KAFKA_USERNAME"] == user
        assert settings["JAKPRENEUR_KAFKA_PASSWORD"].startswith(f"${{{name}_KAFKA_PASSWORD:")
        others = {other.upper() for other in SERVICES} - {name}
        told = str(settings)
        assert not any(f"{other}_MONGODB" in told or f"{other}_KAFKA" in told for other in others)
        assert "${MONGODB_PASSWORD" not in told
        assert "${KAFKA_PASSWORD" not in told


def test_packages_are_installed_by_hash() -> None:
    """What is in the image is what was reviewed."""
    assert "--require-hashes -r /build/requirements.txt" in DOCKERFILE


def test_compose_insists_on_every_secret() -> None:
    """Each variable must be set, and the example names each of them without a value."""
    variables = re.findall(r"\$\{(\w+)([^}]*)\}", COMPOSE_TEXT)
    assert {how for _, how in variables} == {":?see .env.example", ":?run deploy/pin-images.sh"}
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
    assert "listener.name.services.sasl.enabled.mechanisms=SCRAM-SHA-256" in script
    assert "listener.name.partners.sasl.enabled.mechanisms=SCRAM-SHA-512" in script


def test_mounted_files_exist() -> None:
    """Docker would make an empty folder of a file that isn't there."""
    for part in PARTS.values():
        for source in (volume.split(":")[0] for volume in part.get("volumes", [])):
            assert not source.startswith(".") or (ROOT / "deploy" / source).exists(), source
