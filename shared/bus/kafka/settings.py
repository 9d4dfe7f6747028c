"""How Kafka is reached, and what our topics are like."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from shared.settings import Settings

Security = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")
PORT_MAX = 65_535


class KafkaSettings(Settings):
    """Shared by every process of a distributed installation."""

    kafka: str = "127.0.0.1:9092"  # brokers to ask first, with commas between
    kafka_security: Security = "plaintext"
    kafka_sasl_mechanism: Mechanism = "SCRAM-SHA-512"
    kafka_username: str = ""
    kafka_password: SecretStr = SecretStr("")
    kafka_ca_file: Path | None = None  # who vouches for the brokers; the system's authorities by default
    kafka_cert_file: Path | None = None  # ours, where the brokers ask for one
    kafka_key_file: Path | None = None
    kafka_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,100}$")  # before topics and groups
    kafka_session_seconds: float = Field(default=10.0, ge=1, le=300)  # of silence until a replica is gone
    kafka_partitions: int = Field(default=12, ge=1, le=1000)  # of each topic; bounds a group's replicas
    kafka_replication: int = Field(default=1, ge=1, le=9)  # three where there are three brokers

    @field_validator("kafka")
    @classmethod
    def _are_addresses(cls, given: str) -> str:
        for each in given.split(","):
            found = ADDRESS.fullmatch(each.strip())
            if not found or not 1 <= int(found["port"]) <= PORT_MAX:
                raise PydanticCustomError(
                    "addresses", "it has the form host:port,host:port; an IPv6 address is in brackets"
                )
        return given

    @model_validator(mode="after")
    def _complete(self) -> "KafkaSettings":
        if self.kafka_security.startswith("sasl") and not (
            self.kafka_username and self.kafka_password.get_secret_value()
        ):
            raise ValueError(f"kafka_security {self.kafka_security} needs kafka_username and kafka_password")
        if (self.kafka_cert_file is None) != (self.kafka_key_file is None):
            raise ValueError("kafka_cert_file and kafka_key_file go together")
        return self

    @property
    def addresses(self) -> list[str]:
        """Return the brokers to ask first."""
        return [each.strip() for each in self.kafka.split(",")]

    def topic(self, name: str) -> str:
        """Return a topic's name on the brokers."""
        return f"{self.kafka_prefix}{name}"

    def group(self, name: str) -> str:
        """Return a consumer group's name on the brokers."""
        return f"{self.kafka_prefix}windlass.{name}"
