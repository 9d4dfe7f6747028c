"""What every document of the read model is."""

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """A document folded from events; unknown fields of an older one are dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")
