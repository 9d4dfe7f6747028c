"""What can be set about a process of a distributed installation; Kafka's part is `KafkaSettings`."""

import re
import socket
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError

from shared.settings import Settings

DATABASE_FORM = "postgresql://user:password@host:port/name"
NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


class DatabaseSettings(Settings):
    """Where the installation's rows are."""

    database: SecretStr = Field(default=SecretStr(""), validate_default=True)  # DATABASE_FORM

    @field_validator("database")
    @classmethod
    def _is_an_address(cls, given: SecretStr) -> SecretStr:
        """Refuse what cannot be one, without repeating it: there is a password in it."""
        if not given.get_secret_value():
            raise ValueError(f"it is not set; its form is {DATABASE_FORM}")
        try:
            parts = urlsplit(given.get_secret_value())
            whole = parts.scheme in {"postgresql", "postgres"} and _is_name(parts.path)
            _ = parts.port
            _ = parts.query and parse_qsl(parts.query, strict_parsing=True)
        except ValueError:
            whole = False
        if not whole:
            raise ValueError(
                f"it is not of the form {DATABASE_FORM}; what is special in the password is percent-encoded: "
                "@ is %40, / is %2F, : is %3A, # is %23, ? is %3F, % is %25"
            )
        return given


class DistributedSettings(DatabaseSettings):
    """Read once, in `app.py`."""

    host: str = "127.0.0.1"  # loopback unless somebody decides otherwise
    port: int = Field(default=8400, ge=0, le=65535)  # of this process's HTTP side; 0: any free one
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error|critical)$")
    replica: str = Field(default_factory=socket.gethostname)  # stable, and unique among a service's replicas
    shutdown_seconds: float = Field(default=20.0, ge=0, le=600)  # to end or hand back what is in hand

    @field_validator("replica")
    @classmethod
    def _is_a_name(cls, given: str) -> str:
        if not NAME.fullmatch(given):
            raise PydanticCustomError("name", "it has 1 to 100 letters, digits and . _ -, no spaces")
        return given


def _is_name(path: str) -> bool:
    """Tell whether an address ends in a database's name; an @ there comes from a password with a slash."""
    return bool(path.strip("/")) and "@" not in path
