"""Apache Kafka without Docker, on this machine's loopback: for tests, and for trying distributed mode."""

from deploy.kafka.cluster import Cluster
from deploy.kafka.jars import prepare
from deploy.kafka.java import KafkaError

__all__ = ["Cluster", "KafkaError", "prepare"]
