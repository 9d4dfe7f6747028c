"""What parameters are made of: strict scalars in which a value may be filled in late.

The scalars say no more than a reader can hold against what is written; what is looked up (an artifact's
name, a path in the tree) is judged where it is known.
"""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    Strict,
)
from pydantic_core import CoreSchema, PydanticCustomError

from shared.placeholder import MAY_BE_LATE, MAY_COME_LATE, Late

PATH_CHARACTERS_MAX = 1_000
ITEMS_MAX = 1_000  # of a list of parameters
MINUTES_MAX = 7 * 24 * 60  # a week, for whatever waits

Json = dict[str, Any]

OURS: Json = {"x-windlass-only": True}  # marks a field that a DevRamps file may not have
NOT_EMPTY: Json = {"minItems": 1}  # tells editors of `not_empty`


class Params(BaseModel):
    """Parameters of a step or an artifact; strict keys. Lists and mappings may come as JSON has them.

    What pydantic makes of a model is made at its first use: a command needs few of all the models.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class AlsoAs:
    """For editors: the field may be written in this form too, which whoever reads the file turns."""

    def __init__(self, form: Json) -> None:
        self.form = form

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        """Return both forms."""
        return {"anyOf": [handler(core_schema), self.form]}


def refusal(message: str, hint: str = "") -> PydanticCustomError:
    """Return what a validator raises: a predicate, said of the field or of the parameters as a whole."""
    return PydanticCustomError("language", "{message}", {"message": message, "hint": hint})


def is_late(value: object) -> bool:
    """Return whether a parameter is filled in only when the step runs, and cannot be judged before."""
    return isinstance(value, Late)


def require_one(params: BaseModel, *names: str) -> None:
    """Refuse parameters of which none, or more than one, is given."""
    if sum(_is_given(params, name) for name in names) != 1:
        raise refusal(f"need exactly one of {_listed(names)}")


def forbid_both(params: BaseModel, one: str, other: str) -> None:
    """Refuse parameters of which the one leaves nothing to say to the other."""
    if _is_given(params, one) and _is_given(params, other):
        raise refusal(f"cannot have both {one} and {other}")


def require_with(params: BaseModel, name: str, needed: str) -> None:
    """Refuse a parameter that says nothing without another."""
    if _is_given(params, name) and not _is_given(params, needed):
        raise refusal(f"need {needed}, because {name} is given")


def written(params: BaseModel) -> Json:
    """Return parameters as JSON has them, with every default, and every `Late` left in its place."""
    values = {name: getattr(params, name) for name in type(params).model_fields}
    return {name: _plain(value) for name, value in {**values, **(params.model_extra or {})}.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return written(value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _is_given(params: BaseModel, name: str) -> bool:
    return getattr(params, name) not in ("", (), None) and getattr(params, name) != {}


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]])


def _in_repository(path: str) -> str:
    if not path.startswith("/"):
        hint = f'did you mean "/{path[:PATH_CHARACTERS_MAX].lstrip(".").lstrip("/")}"?'
        raise refusal("must start with a slash, which stands for the repository", hint)
    return _no_way_out(path)


def _no_way_out(path: str) -> str:
    if len(path) > PATH_CHARACTERS_MAX:
        raise refusal(f"must have at most {PATH_CHARACTERS_MAX} characters")
    if not path.isprintable() or "\\" in path:
        raise refusal("must be a path with slashes, on one line")
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise refusal("leaves the place it is in", "name a path inside of it")
    if parts and parts[0].startswith("-"):
        raise refusal("could be taken for an option", "no dash at the beginning")
    return path


def not_empty(items: tuple[str, ...]) -> tuple[str, ...]:
    """Let a list pass that has entries; pydantic's own check leaves those out that were refused."""
    if not items:
        raise refusal("must not be empty")
    return items


def _as_lines(script: Any) -> Any:
    return (script,) if isinstance(script, str) else script


Text = Annotated[str, Strict(), MAY_BE_LATE]
Flag = Annotated[bool, Strict(), MAY_COME_LATE]
Port = Annotated[int, Strict(), Field(ge=1, le=65535)]  # fixed in the plan, so that two cannot want one

Filled = Annotated[str, Strict(), Field(min_length=1), MAY_BE_LATE]  # a text that must say something
Count = Annotated[int, Strict(), Field(ge=1, le=1000), MAY_COME_LATE]
Percent = Annotated[int, Strict(), Field(ge=0, le=200), MAY_COME_LATE]  # of a number of tasks; it may double
Minutes = Annotated[int, Strict(), Field(ge=1, le=MINUTES_MAX), MAY_COME_LATE]
Texts = Annotated[tuple[Text, ...], Field(max_length=ITEMS_MAX), MAY_COME_LATE]
Values = Annotated[dict[str, Any], MAY_COME_LATE]  # of whatever kind the program takes that they go to

# Paths are part of what is planned: known then, or there is no plan.
RepositoryPath = Annotated[  # "/terraform"
    str, Strict(), AfterValidator(_in_repository), Field(json_schema_extra={"pattern": "^/"})
]
PathInside = Annotated[
    str, Strict(), AfterValidator(_no_way_out)
]  # of an artifact: "dist", "./dist", "/dist"

Script = Annotated[
    tuple[Annotated[str, Strict()], ...],
    Field(max_length=ITEMS_MAX),
    BeforeValidator(_as_lines, json_schema_input_type=str | tuple[str, ...]),
]
Word = Annotated[Text, AlsoAs({"type": ["number", "boolean"]})]
Command = Annotated[tuple[Word, ...], Field(max_length=ITEMS_MAX), AlsoAs({"type": "string"})]
Env = dict[str, Word]
