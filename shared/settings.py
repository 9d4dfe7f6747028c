"""How settings are read: `WINDLASS_*` in the environment, then `windlass.toml`, then the defaults.

Each service has its own frozen class built on this one; each is read once, in its `app.py`.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from shared.faults import Refused

SETTINGS_FILE = Path("windlass.toml")  # in the working directory
VALUE_CHARACTERS_MAX = 80  # of a value that makes no sense, repeated in its complaint


# What the programs we start need of our own environment; nothing else of it reaches them.
PASSED_THROUGH = (
    "PATH",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)


def passed_through() -> Mapping[str, str]:
    """Return the part of our environment that git is given."""
    return {name: os.environ[name] for name in PASSED_THROUGH if name in os.environ}


class Settings(BaseSettings):
    """What every service's settings share."""

    model_config = SettingsConfigDict(env_prefix="WINDLASS_", frozen=True, extra="ignore")

    data: Path = Path.home() / ".windlass"  # everything Windlass keeps on this machine
    replica: str = "embedded"  # stable, and unique among the replicas of a service
    crash_at: str = ""  # tests only: die at this crash point, see shared/crash.py
    crash_trace: str = ""  # tests only: write the names of the points passed

    @classmethod
    def read(cls, **given: Any) -> Self:
        """Return the settings, what is given first; Refused names each that makes no sense."""
        try:
            return cls(**given)
        except ValidationError as error:
            raise Refused("; ".join(_mistakes(cls, error))) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise Refused(f"the settings in {SETTINGS_FILE} cannot be read: {error}") from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, file."""
        file = TomlConfigSettingsSource(settings_cls, toml_file=SETTINGS_FILE)
        return init_settings, env_settings, file


def _mistakes(settings: type[BaseSettings], error: ValidationError) -> Iterator[str]:
    """Yield a sentence for each; none of them repeats a secret."""
    for mistake in error.errors(include_url=False, include_context=False):
        name = ".".join(str(part) for part in mistake["loc"])
        setting = f"the setting {name} (WINDLASS_{name.upper()})"
        if not name:  # two that do not go together: what was given is all there is
            yield mistake["msg"].removeprefix("Value error, ")
        elif mistake["type"] == "missing":
            yield f"{setting} is missing"
        elif _is_secret(settings, str(mistake["loc"][0])):
            yield f"{setting} cannot be used: {mistake['msg'].removeprefix('Value error, ')}"
        else:
            value = ascii(mistake["input"])[:VALUE_CHARACTERS_MAX]
            yield f"{setting} cannot be {value}: {mistake['msg']}"


def _is_secret(settings: type[BaseSettings], name: str) -> bool:
    field = settings.model_fields.get(name)
    return field is not None and field.annotation is SecretStr
