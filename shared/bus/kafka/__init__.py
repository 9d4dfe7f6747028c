"""The bus on Apache Kafka: the outbox is relayed to topics, each group consumes them.

The only place that knows FastStream and aiokafka.
"""

from shared.bus.kafka.bus import KafkaBus
from shared.bus.kafka.settings import KafkaSettings

__all__ = ["KafkaBus", "KafkaSettings"]
