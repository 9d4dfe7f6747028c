"""What the topics are to be, before there is a broker."""

from shared.bus.kafka.topics import RETENTION
from shared.events.topics import TOPICS


def test_it_is_said_of_every_topic_how_long_it_is_kept() -> None:
    assert set(RETENTION) == set(TOPICS)
