"""What parameters of steps are made of: strict scalars in which a value may be filled in late."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict

from shared.placeholder import MAY_BE_LATE

Text = Annotated[str, Strict(), MAY_BE_LATE]
Whole = Annotated[int, Strict(), MAY_BE_LATE]
Number = Annotated[float, Strict(), MAY_BE_LATE]
Flag = Annotated[bool, Strict(), MAY_BE_LATE]
Port = Annotated[int, Strict(), Field(ge=1, le=65535)]  # fixed in the plan, so that two cannot want one


class Params(BaseModel):
    """Parameters of a step; strict keys. Lists and mappings may come as JSON has them."""

    model_config = ConfigDict(frozen=True, extra="forbid")
