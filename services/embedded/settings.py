"""What can be set about the embedded program."""

from pydantic import Field

from shared.settings import Settings


class EmbeddedSettings(Settings):
    """Read once, in `app.py`."""

    host: str = "127.0.0.1"  # loopback unless somebody decides otherwise
    port: int = Field(default=8400, ge=0, le=65535)  # 0: any free one
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error|critical)$")
