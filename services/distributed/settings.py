"""What can be set about a process of a distributed installation; Kafka's part is `KafkaSettings`."""

import socket
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from shared.settings import Settings

DATABASE_FORM = "postgresql://USER:PASSWORD@HOST:PORT/NAME"


class DatabaseSettings(Settings):
    """Where the installation's rows are."""

    database: SecretStr  # postgresql://user:password@host:port/name

    @field_validator("database")
    @classmethod
    def _is_an_address(cls, given: SecretStr) -> SecretStr:
        """Refuse what cannot be one, without repeating it: there is a password in it."""
        try:
            parts = urlsplit(given.get_secret_value())
            whole = parts.scheme in {"postgresql", "postgres"} and parts.path.strip("/")
            _ = parts.port
        except ValueError:
            whole = ""
        if not whole:
            raise ValueError(f"it is not of the form {DATABASE_FORM}")
        return given


class DistributedSettings(DatabaseSettings):
    """Read once, in `app.py`."""

    host: str = "127.0.0.1"  # loopback unless somebody decides otherwise
    port: int = Field(default=8400, ge=0, le=65535)  # of this process's HTTP side; 0: any free one
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error|critical)$")
    replica: str = Field(  # stable, and unique among the replicas of a service
        default_factory=socket.gethostname, pattern=r"^[A-Za-z0-9._-]{1,100}$"
    )
    shutdown_seconds: float = Field(default=20.0, ge=0, le=600)  # to end or hand back what is in hand
