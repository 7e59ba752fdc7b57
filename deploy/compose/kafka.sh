#!/usr/bin/env bash
# Starts the broker of compose.yaml: writes its configuration, formats its storage the first time.
#
# The image's own start script can't do it: users have to be made while the storage is formatted, since
# nobody could log in to make them later. deploy/local/kafka_broker.py is the same for one machine, and says why
# each setting is as it is.
set -euo pipefail
umask 077

home=${KAFKA_HOME:-/opt/kafka}
data=${KAFKA_DATA:-/var/lib/kafka/data}
host=${KAFKA_HOST:-kafka}
properties=${KAFKA_PROPERTIES:-/tmp/server.properties}
broker="username=\"broker\" password=\"$KAFKA_BROKER_PASSWORD\""
scram='org.apache.kafka.common.security.scram.ScramLoginModule required'
plain='org.apache.kafka.common.security.plain.PlainLoginModule required'

cat > "$properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
controller.listener.names=CONTROLLER
listeners=SERVICES://:9092,PARTNERS://:9094,CONTROLLER://127.0.0.1:9093
advertised.listeners=SERVICES://$host:9092,PARTNERS://$host:9094
inter.broker.listener.name=SERVICES
listener.security.protocol.map=SERVICES:SASL_PLAINTEXT,PARTNERS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
log.dirs=$data
listener.name.services.sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.partners.sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-256
sasl.mechanism.controller.protocol=PLAIN
listener.name.services.scram-sha-256.sasl.jaas.config=$scram $broker;
listener.name.partners.scram-sha-512.sasl.jaas.config=$scram;
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=$plain $broker user_broker="$KAFKA_BROKER_PASSWORD";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:administrator;User:broker
allow.everyone.if.no.acl.found=false
auto.create.topics.enable=false
num.partitions=6
default.replication.factor=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
log.retention.bytes=-1
message.max.bytes=2097152
replica.fetch.max.bytes=2097152
END

if [ ! -e "$data/meta.properties" ]; then
  # What it prints holds what the passwords are checked against: not for a log. Errors go to standard error.
  "$home/bin/kafka-storage.sh" format --ignore-formatted "--cluster-id=$KAFKA_CLUSTER_ID" --config "$properties" \
    --add-scram "SCRAM-SHA-256=[name=administrator,password=$KAFKA_PASSWORD]" \
    --add-scram "SCRAM-SHA-256=[name=broker,password=$KAFKA_BROKER_PASSWORD]" > /dev/null
fi
exec "$home/bin/kafka-server-start.sh" "$properties"
