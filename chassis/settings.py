"""Settings that every service has. All come from the environment (prefix JAKPRENEUR_), each with a local default.

Read once, by the composition root; nothing reads the environment at import.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What any service needs to run. A service's own settings class adds its ports and its rules' numbers."""

    model_config = SettingsConfigDict(env_prefix="JAKPRENEUR_", extra="ignore", populate_by_name=True)

    env: Literal["local", "staging", "production"] = Field(
        default="local", description="Where it runs; the development issuer is refused outside local"
    )
    host: str = Field(default="127.0.0.1", description="Address that the public and the internal port listen on")
    port: int = Field(default=8100, description="Public port")
    internal_port: int = Field(default=9100, description="Port of /metrics and /health, never to be made public")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    cors_origins: list[str] = Field(default=[], description="Origins of the frontends that may call from a browser")
    max_body_bytes: int = Field(default=1_000_000, description="Largest request body, except for file uploads")
    anonymous_rate: str = Field(default="30/minute", description="Limit of anonymous writes for each address (IPv6: /64)")
    anonymous_read_rate: str = Field(default="600/minute", description="Limit of anonymous reads for each address")
    failed_credential_rate: str = Field(
        default="20/minute", description="Wrong credentials of an address, beyond which they are answered with 429"
    )
    known_nik_rate: str = Field(
        default="5/hour", description="How often a citizen may try to register a NIK that is registered already"
    )
    trusted_proxies: list[str] = Field(default=[], description="Proxies whose X-Forwarded-For is believed")

    mongodb_url: SecretStr = Field(
        default=SecretStr("mongodb://127.0.0.1:27118/?replicaSet=rs0"),
        validation_alias=AliasChoices("JAKPRENEUR_MONGODB_URL", "MONGODB_URL", "mongodb_url"),
        description="A replica set: transactions need one",
    )
    mongodb_database_prefix: str = Field(default="jakpreneur", description="Databases are <prefix>_<service>")
    mongo_driver: Literal["motor", "pymongo"] = Field(default="motor", description="Client of chassis/database/mongo.py")
    mongo_heartbeat_seconds: float = Field(default=1.0, ge=0.5, description="How often the driver looks after each server")
    mongo_connect_seconds: float = Field(default=1.0, description="To connect, and for a server to answer a heartbeat")
    mongo_query_seconds: float = Field(
        default=10.0, gt=0, description="Longest time that the server works on one read; past it the caller gets a 503"
    )
    mongo_socket_seconds: float = Field(default=20.0, description="Longest wait for the answer to any command")
    mongo_transaction_seconds: float = Field(
        default=60.0,
        ge=0,
        description="transactionLifetimeLimitSeconds of the server; 5 is advised. 0 for a sharded cluster, where a prepared "
        "transaction may outlive it",
    )
    public_url: str = Field(default="/", description="Where clients reach the service, for its OpenAPI document")
    kafka_bootstrap_servers: str = Field(
        default="127.0.0.1:19192",
        validation_alias=AliasChoices("JAKPRENEUR_KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS", "kafka_bootstrap_servers"),
        description="Brokers of the SERVICES listener",
    )
    kafka_username: str | None = Field(default=None, description="SCRAM user; none: no authentication")
    kafka_password: SecretStr | None = Field(default=None, description="Its password")
    kafka_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-256", description="How it logs in; partners' users have SCRAM-SHA-512"
    )
    kafka_tls: bool = Field(default=False, description="SASL_SSL or SSL instead of plaintext")
    kafka_topic_prefix: str = Field(default="", description="Put before every topic and group: shared clusters, tests")
    kafka_replication: int = Field(default=1, description="Replication factor of topics that a service creates")

    commit_batch_limit: int = Field(default=256, ge=1, le=1000, description="Most decisions in one transaction")
    commit_deadline_seconds: float = Field(default=20.0, description="After it an unknown commit becomes a 503")
    relay_page: int = Field(default=64, ge=1, description="Outbox documents (commits) read together")
    relay_lease_seconds: float = Field(default=3.0, description="A relay that hasn't renewed for so long is replaced")
    relay_renew_seconds: float = Field(default=0.75, description="How often the lease is renewed, by a task of its own")
    relay_poll_seconds: float = Field(default=1.0, description="Floor of the relay's wake-ups")
    relay_send_timeout_seconds: float = Field(
        default=60.0, description="Longest wait for Kafka's acknowledgement; past it the producer is replaced"
    )
    relay_start_timeout_seconds: float = Field(default=4.0, description="Longest wait for a producer to connect")
    relay_stuck_seconds: float = Field(
        default=10.0, description="A relay of which Kafka took nothing for so long gives its lease away"
    )
    drain_seconds: float = Field(
        default=1.0,
        ge=0,
        description="From the withdrawal of readiness to the closing of the port: longer than a balancer's look",
    )
    consumer_batch_limit: int = Field(default=8000, ge=1, le=10_000, description="Most events in one consumer transaction")
    consumer_waiting_limit: int = Field(
        default=10_000, description="More events that wait for a missing predecessor stop the consumer: a partition may be lost"
    )
    consumer_session_seconds: float = Field(default=10.0, description="Kafka session timeout of a consumer")

    oidc_issuer: str | None = Field(default=None, description="Issuer of staff and citizen tokens; none: development issuer")
    oidc_audience: str = Field(default="jakpreneur", description="Audience that a token must carry")
    oidc_jwks_url: str | None = Field(default=None, description="Where the issuer publishes its keys")
    development_issuer_key_file: str = Field(
        default="var/local/development-issuer.pem", description="Key pair of the local development issuer"
    )
    vault_master_keys: dict[str, SecretStr] = Field(
        default={},
        description="Master keys of the personal-data vault by version, 32 bytes base64; the highest wraps new keys",
    )
    blind_index_pepper: SecretStr = Field(default=SecretStr(""), description="Pepper of the blind index, 32 bytes base64")
    api_key_pepper: SecretStr = Field(default=SecretStr(""), description="Pepper of stored API keys, 32 bytes base64")
    idempotency_pepper: SecretStr = Field(
        default=SecretStr(""), description="Pepper of idempotency records, which hash personal data; 32 bytes base64"
    )
    otlp_endpoint: str | None = Field(default=None, description="OpenTelemetry collector (HTTP); none: no tracing")

    fail_points: str | None = Field(
        default=None,
        description="Fault tests only, refused outside local: `name=probability,…;seed` kills the process there",
    )
