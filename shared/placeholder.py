"""Values that a plan cannot hold yet, and what each will be made of: typed, never marker text.

In a plan the place of such a value is empty, and a `Placeholder` beside it says what goes there. What a
user writes never becomes a placeholder by looking like one: they lie where no text of a user's comes.
While a plan is made, a `Late` stands in the value's place.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from shared.ids import Step

TEXT_FUNCTIONS = frozenset({"format", "join", "json", "lower", "replace", "upper"})  # they give texts


class Source(BaseModel):
    """A part of a placeholder; frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OutputOf(Source):
    """What an earlier step of the same run gave; known once it succeeded."""

    kind: Literal["output"] = "output"
    step: Step
    name: str


class SecretOf(Source):
    """A secret; known to the worker alone, right before use."""

    kind: Literal["secret"] = "secret"
    owner: Literal["organization", "stage"]
    name: str


class ArtifactOf(Source):
    """Something about an artifact once it is built."""

    kind: Literal["artifact"] = "artifact"
    artifact: str  # its id
    name: str  # "image_url", "image_tag", "s3_url", "s3_bucket", "s3_key", "digest"
    copied: bool  # of the copy in the stage's account, or of the one that was built


class FactOf(Source):
    """Something about the installation that whoever made the plan was not told."""

    kind: Literal["fact"] = "fact"
    names: tuple[str, ...]  # ("organization", "slug")


class Constant(Source):
    """A value that is known, among others that are not."""

    kind: Literal["constant"] = "constant"
    value: Any  # as JSON has it


class Call(Source):
    """A function of `shared/language/function.py`, called when its arguments are known."""

    kind: Literal["call"] = "call"
    function: str
    arguments: tuple["LateValue", ...]


class Joined(Source):
    """Texts one after the other."""

    kind: Literal["joined"] = "joined"
    parts: tuple["LateValue", ...]


LateValue = Annotated[
    OutputOf | SecretOf | ArtifactOf | FactOf | Constant | Call | Joined, Field(discriminator="kind")
]
Call.model_rebuild()
Joined.model_rebuild()


class Placeholder(Source):
    """What goes where in a step's parameters, or in an artifact's environment."""

    at: tuple[str | int, ...]  # keys and indexes, from the outermost; what stands there is null until then
    value: LateValue


@dataclass(frozen=True, slots=True)
class Late:
    """Stands for a value while a plan is made."""

    value: LateValue


def parts_of(value: LateValue) -> tuple[LateValue, ...]:
    """Return what a text is put together from, the value itself if that is all."""
    return value.parts if isinstance(value, Joined) else (value,)


def gives_text(value: LateValue) -> bool:
    """Tell whether a late value will be a text whatever it is made of."""
    match value:
        case SecretOf() | ArtifactOf() | FactOf() | Joined():
            return True
        case Call(function=name):
            return name in TEXT_FUNCTIONS
        case Constant(value=known):
            return isinstance(known, str)
        case _:
            return False


def _let_late_pass(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    return value if isinstance(value, Late) else handler(value)


def _let_late_value_pass(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, Late) and gives_text(value.value):
        said = {"message": "takes no text, and this will be one", "hint": ""}
        raise PydanticCustomError("language", "{message}", said)
    return _let_late_pass(value, handler)


# On a field that may be filled in late: there, a `Late` passes for the type.
MAY_BE_LATE = WrapValidator(_let_late_pass)
# The same on a field that takes no text: what is sure to be one does not pass.
MAY_COME_LATE = WrapValidator(_let_late_value_pass)


def sources(value: LateValue) -> Iterator[LateValue]:
    """Yield every source that a value is made of, the innermost ones."""
    match value:
        case Call(arguments=parts) | Joined(parts=parts):
            for part in parts:
                yield from sources(part)
        case _:
            yield value


def taken_out(values: Any, at: tuple[str | int, ...] = ()) -> tuple[Any, tuple[Placeholder, ...]]:
    """Return JSON with null for each `Late` in it, and what goes there, in the order of keys and indexes."""
    if isinstance(values, Late):
        return None, (Placeholder(at=at, value=values.value),)
    if isinstance(values, dict):
        pairs = {key: taken_out(value, (*at, key)) for key, value in values.items()}
        return {key: plain for key, (plain, _) in pairs.items()}, tuple(
            placeholder for key in sorted(pairs) for placeholder in pairs[key][1]
        )
    if isinstance(values, list | tuple):
        items = [taken_out(value, (*at, index)) for index, value in enumerate(values)]
        return [plain for plain, _ in items], tuple(
            placeholder for _, found in items for placeholder in found
        )
    return values, ()
