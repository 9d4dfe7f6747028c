"""How settings are read: `WINDLASS_*` in the environment, then `windlass.toml`, then the defaults.

Each service has its own frozen class built on this one; each is read once, in its `app.py`.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

SETTINGS_FILE = Path("windlass.toml")  # in the working directory


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
    crash_at: str = ""  # tests only: die at this crash point, see shared/crash.py
    crash_trace: str = ""  # tests only: write the names of the points passed

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
