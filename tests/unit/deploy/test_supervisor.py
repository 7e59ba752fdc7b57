"""What `make up` writes for the supervisor, from what the user set."""

from __future__ import annotations

import configparser
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from supervisor.datatypes import dict_of_key_value_pairs

from deploy.local import layout, supervisor
from deploy.local.platform import Platform
from deploy.local.ports import Ports

ELSEWHERE = {"MONGODB_URL": "mongodb://db.example/?replicaSet=x", "KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092"}


def platform_of(tmp_path: Path, user: dict[str, str]) -> Platform:
    """A platform that nobody starts, with monitoring whatever this machine has."""
    made = Platform.of(user, directory=tmp_path / "local", logs=tmp_path / "log")
    return replace(made, prometheus="/bin/prometheus", alertmanager="/bin/alertmanager")


def read(platform: Platform) -> configparser.RawConfigParser:
    """The rendered configuration, as the supervisor reads it."""
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"))
    parser.read_string(supervisor.render(platform))
    return parser


def settings_of(platform: Platform, service: str) -> dict[str, str]:
    """A service's environment, through the supervisor's own parser."""
    line = read(platform)[f"program:{service}"]["environment"].replace("%%", "%")
    return dict(dict_of_key_value_pairs(line))


def test_every_part_is_a_program(tmp_path: Path) -> None:
    """Servers, monitoring and the three services run under one supervisor and come back when they end."""
    parser = read(platform_of(tmp_path, {}))
    programs = {title.removeprefix("program:") for title in parser if title.startswith("program:")}
    assert programs == {"mongodb", "kafka", "prometheus", "alertmanager", "registration", "training", "metrics"}
    assert {parser[f"program:{name}"]["autorestart"] for name in programs} == {"true"}


def test_services_start_after_their_servers_and_stop_before_them(tmp_path: Path) -> None:
    """A service that lost its database on the way down couldn't finish its requests."""
    parser = read(platform_of(tmp_path, {}))
    assert parser["program:registration"]["autostart"] == "false"
    assert int(parser["program:registration"]["priority"]) > int(parser["program:mongodb"]["priority"])


def test_each_service_is_told_its_ports(tmp_path: Path) -> None:
    """Training is moved to 8500: its process hears of it as JAKPRENEUR_PORT."""
    settings = settings_of(platform_of(tmp_path, {"JAKPRENEUR_TRAINING_PORT": "8500"}), "training")
    assert (settings["JAKPRENEUR_PORT"], settings["JAKPRENEUR_INTERNAL_PORT"]) == ("8500", "9102")


def test_secrets_survive_the_supervisors_notation(tmp_path: Path) -> None:
    """JSON, `=`, `%` and `&` reach the service as they were."""
    platform = platform_of(tmp_path, {"MONGODB_URL": "mongodb://u:p%40ss@db.example/?replicaSet=x&w=majority"})
    settings = settings_of(platform, "registration")
    assert json.loads(settings["JAKPRENEUR_VAULT_MASTER_KEYS"]) == {"1": platform.secrets.vault_master_key}
    assert settings["JAKPRENEUR_MONGODB_URL"] == "mongodb://u:p%40ss@db.example/?replicaSet=x&w=majority"
    assert settings["JAKPRENEUR_BLIND_INDEX_PEPPER"] == platform.secrets.blind_index_pepper


def test_servers_do_not_get_the_keys_of_services(tmp_path: Path) -> None:
    """Prometheus has no use for the vault's master key."""
    parser = read(platform_of(tmp_path, {}))
    for name in ("mongodb", "kafka", "prometheus", "alertmanager"):
        assert "environment" not in parser[f"program:{name}"]


@pytest.mark.parametrize("prefix", ["", "JAKPRENEUR_"])
def test_existing_clusters_are_used_instead_of_ours(tmp_path: Path, prefix: str) -> None:
    """Siti has a MongoDB and a Kafka: neither is started here, and ours' password is not sent to hers."""
    platform = platform_of(tmp_path, {prefix + name: value for name, value in ELSEWHERE.items()})
    assert platform.servers == []
    settings = settings_of(platform, "metrics")
    assert settings["JAKPRENEUR_MONGODB_URL"] == ELSEWHERE["MONGODB_URL"]
    assert "JAKPRENEUR_MONGO_TRANSACTION_SECONDS" not in settings  # what ours gives up on says nothing of theirs
    assert settings["JAKPRENEUR_KAFKA_BOOTSTRAP_SERVERS"] == ELSEWHERE["KAFKA_BOOTSTRAP_SERVERS"]
    assert "JAKPRENEUR_KAFKA_PASSWORD" not in settings


def test_the_login_of_an_existing_kafka_is_passed_on(tmp_path: Path) -> None:
    """Her Kafka wants a password: she sets it, the services get it."""
    login = {"JAKPRENEUR_KAFKA_USERNAME": "siti", "JAKPRENEUR_KAFKA_PASSWORD": "hers"}
    settings = settings_of(platform_of(tmp_path, {**ELSEWHERE, **login}), "metrics")
    assert {name: settings[name] for name in login} == login


def test_a_stray_login_does_not_lock_services_out_of_our_kafka(tmp_path: Path) -> None:
    """A password left in the shell is not the one of the broker that we start."""
    platform = platform_of(tmp_path, {"JAKPRENEUR_KAFKA_PASSWORD": "stray"})
    assert settings_of(platform, "metrics")["JAKPRENEUR_KAFKA_PASSWORD"] == platform.secrets.password_of("metrics")


def test_each_service_is_its_own_user(tmp_path: Path) -> None:
    """Whoever reads the environment of one process can't pass for another, and none of them is an administrator."""
    platform = platform_of(tmp_path, {})
    found = {service: settings_of(platform, service) for service in ("registration", "training", "metrics")}
    for name in ("JAKPRENEUR_MONGODB_URL", "JAKPRENEUR_KAFKA_USERNAME", "JAKPRENEUR_KAFKA_PASSWORD"):
        assert len({settings[name] for settings in found.values()}) == 3
    assert found["metrics"]["JAKPRENEUR_MONGODB_URL"].startswith("mongodb://jakpreneur_metrics:")
    environments = json.dumps(found)
    assert platform.secrets.mongodb_password not in environments
    assert platform.secrets.kafka_password not in environments


def test_without_monitoring_the_rest_runs(tmp_path: Path) -> None:
    """A machine without Prometheus and without root still shows the platform."""
    platform = replace(platform_of(tmp_path, {}), prometheus=None, alertmanager=None)
    assert platform.monitors == []
    assert not {"program:prometheus", "program:alertmanager"} & set(read(platform))
    assert not {"prometheus", "alertmanager"} & set(platform.listeners)


def test_other_ports_make_another_text(tmp_path: Path) -> None:
    """A port in no command line is in the text all the same: that is how `make up` sees that settings changed."""
    before = platform_of(tmp_path, {})
    after = platform_of(tmp_path, {"JAKPRENEUR_KAFKA_PARTNERS_PORT": "4444"})
    assert supervisor.render(before) == supervisor.render(platform_of(tmp_path, {}))
    assert supervisor.render(before) != supervisor.render(after)


def test_a_value_that_cant_be_quoted_is_refused() -> None:
    """Better no start than a service with half a password."""
    with pytest.raises(ValueError, match="both kinds of quotes"):
        supervisor.quoted("a'b\"c")


def test_prometheus_scrapes_the_chosen_ports(tmp_path: Path) -> None:
    """Metrics is moved: Prometheus follows it, and finds its rules from its new folder."""
    platform = platform_of(tmp_path, {**ELSEWHERE, "JAKPRENEUR_METRICS_INTERNAL_PORT": "9555"})
    supervisor.write_configuration(platform)
    written = yaml.safe_load((platform.directory / "prometheus" / "prometheus.yml").read_text())
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in written["scrape_configs"]}
    assert targets == {
        "registration": ["127.0.0.1:9101"],
        "training": ["127.0.0.1:9102"],
        "metrics": ["127.0.0.1:9555"],
    }
    assert Path(written["rule_files"][0]).exists()


def test_files_with_secrets_are_private(tmp_path: Path) -> None:
    """Both the supervisor's configuration and the settings for a shell hold passwords."""
    platform = platform_of(tmp_path, ELSEWHERE)
    supervisor.write_configuration(platform)
    for name in ("supervisord.conf", "environment"):
        assert (platform.directory / name).stat().st_mode & 0o777 == 0o600


def test_a_path_too_long_for_a_socket_is_named(tmp_path: Path) -> None:
    """Linux would only say that it can't bind."""
    platform = replace(platform_of(tmp_path, ELSEWHERE), directory=tmp_path / ("deep" * 30))
    with pytest.raises(ValueError, match="too long for a socket"):
        supervisor.write_configuration(platform)


def test_the_documented_prometheus_file_has_the_documented_ports() -> None:
    """Otherwise moving a port would leave Prometheus behind."""
    text = (layout.PROMETHEUS_FILES / "prometheus.yml").read_text()
    ports = Ports.default()
    for port in (ports.registration_internal, ports.training_internal, ports.metrics_internal, ports.alertmanager):
        assert f'"127.0.0.1:{port}"' in text
