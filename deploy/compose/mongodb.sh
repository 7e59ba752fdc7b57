#!/usr/bin/env bash
# Starts the replica set member of compose.yaml: MongoDB wants the key that members share in a file that
# only it can read, and the image has no setting for that. It becomes a replica set in mongodb-ready.js.
# A transaction that a killed process left open is given up after 5 s: its documents are locked until then.
# compose.yaml tells the services so (JAKPRENEUR_MONGO_TRANSACTION_SECONDS).
set -euo pipefail

key=/data/configdb/keyfile
(umask 077 && printf '%s\n' "$MONGODB_MEMBER_KEY" > "$key.new")
chown mongodb:mongodb "$key.new"
mv "$key.new" "$key"
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile "$key" --bind_ip_all \
  --networkMessageCompressors snappy,zstd --setParameter transactionLifetimeLimitSeconds=5
