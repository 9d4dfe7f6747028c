"""When a stage may begin runs: opening hours in a zone, holidays and freezes. Pure."""

from pydantic import BaseModel, ConfigDict


class Window(BaseModel):
    """A deployment window, resolved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""  # "PACIFIC_WORKING_HOURS", or as the file calls it
    zone: str = "UTC"  # IANA's name
