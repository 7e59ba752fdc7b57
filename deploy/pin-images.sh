#!/usr/bin/env bash
# Writes the images of compose.yaml's servers into deploy/.env, each by the digest that its tag has now: from then on every
# start runs the very same bytes. Run it again, and test, to take newer ones. Needs docker, and the network.
set -euo pipefail

env=${1:-$(dirname "$0")/.env}
pin() {
  local name=$1 tag=$2 digest
  docker pull --quiet "$tag" > /dev/null
  digest=$(docker image inspect --format '{{index .RepoDigests 0}}' "$tag")
  [[ $digest =~ @sha256:[0-9a-f]{64}$ ]] || { echo "$tag has no digest" >&2; exit 1; }
  # The tag stays for the reader; docker goes by the digest.
  sed -i "s|^$name=.*|$name=$tag@${digest##*@}|" "$env"
  grep -q "^$name=" "$env" || echo "$name=$tag@${digest##*@}" >> "$env"
}

pin MONGODB_IMAGE mongo:8.0
pin KAFKA_IMAGE apache/kafka:4.3.1
pin PROMETHEUS_IMAGE prom/prometheus:v3.5.0
pin ALERTMANAGER_IMAGE prom/alertmanager:v0.28.1
