"""What the models of a pipeline file are made of: strict keys, and scalars that say what they take.

A field that is only Windlass's own is marked with `OURS`: a DevRamps file may not have it.
"""

import re
from typing import Annotated, Any

from annotated_types import Gt, Le
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.language.expression import has_expression
from shared.language.problem import Rule
from shared.step_types import params

NAME_CHARACTERS_MAX = 100
MINUTES_MAX = 24 * 60.0
PATH_CHARACTERS_MAX = 1_000
OURS: dict[str, Any] = params.OURS
FORM = "\0"  # begins the name of one of several forms that a value may have; no key of a file has it
NO_EXPRESSION = "is not resolved: expressions have no meaning here"

SLUG_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
ID_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")  # the name of an environment variable
ACCOUNT_PATTERN = r"^[0-9]{12}$"
REGION_PATTERN = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"
TOOL_PATTERN = r"^[a-z][a-z0-9+-]*(\.[0-9A-Za-z]+)*$"

# What a pattern asks for, in words.
RULES = {
    SLUG_PATTERN: "be lower-case letters, digits and hyphens, at most 63, no hyphen first",
    ID_PATTERN: "be lower-case letters, digits, hyphens and underscores, at most 63",
    ACCOUNT_PATTERN: "be an AWS account id: exactly 12 digits",
    REGION_PATTERN: "be an AWS region, like eu-west-1",
    TOOL_PATTERN: "be a tool and its version, like node.22",
}


class ManifestPart(BaseModel):
    """A mapping of the file; unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def wrong(message: str, hint: str = "", rule: Rule = "wrong-value") -> PydanticCustomError:
    """Return the error of a value that is of the right type and yet not right; "must be even"."""
    return PydanticCustomError("language", "{message}", {"message": message, "hint": hint, "rule": rule})


def _check_line(text: str) -> str:
    if not text.strip() or len(text) > NAME_CHARACTERS_MAX or "\n" in text:
        raise wrong(f"must be one line of 1 to {NAME_CHARACTERS_MAX} characters")
    if has_expression(text):
        raise wrong(NO_EXPRESSION, "write the text itself", "expression")
    return text


def _check_path(text: str) -> str:
    parts = [part for part in text.split("/") if part not in {"", "."}]
    if not text.startswith("/"):
        hint = f'did you mean "/{text.lstrip(".").lstrip("/")[:PATH_CHARACTERS_MAX]}"?'
        raise wrong("must start with a slash, which stands for the repository", hint, "path")
    if ".." in parts:
        raise wrong("leaves the repository", "name a path inside of it", "path")
    if any(part.startswith("-") for part in parts[:1]):
        raise wrong("could be taken for an option", "no dash at the beginning", "path")
    if len(text) > PATH_CHARACTERS_MAX or not text.isprintable():
        raise wrong(f"must be one line of at most {PATH_CHARACTERS_MAX} characters", rule="path")
    return text


def _check_source(text: str) -> str:
    if "*" in text or "?" in text:
        hint = "name the folder: everything below counts"
        raise wrong("is a pattern, and a pattern matches nothing here", hint, "path")
    if has_expression(text):
        raise wrong(NO_EXPRESSION, "write the path itself", "expression")
    return _check_path(text)


def inside(path: str) -> str:
    """Return a checked path relative to the repository root, `.` for the root itself."""
    return "/".join(part for part in path.split("/") if part not in {"", "."}) or "."


Line = Annotated[
    str,
    AfterValidator(_check_line),
    Field(json_schema_extra={"minLength": 1, "maxLength": NAME_CHARACTERS_MAX}),
]
Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
AccountId = Annotated[str, StringConstraints(pattern=ACCOUNT_PATTERN)]
Region = Annotated[str, StringConstraints(pattern=REGION_PATTERN)]
Tool = Annotated[str, StringConstraints(pattern=TOOL_PATTERN)]
Minutes = Annotated[float, Strict(), Gt(0), Le(MINUTES_MAX)]
Flag = Annotated[bool, Strict()]
# From the repository's root: "/app".
RepositoryPath = Annotated[str, AfterValidator(_check_path), Field(json_schema_extra={"pattern": "^/"})]
SourcePath = Annotated[str, AfterValidator(_check_source), Field(json_schema_extra={"pattern": "^/[^*?]*$"})]
# A value of a mapping with the user's own keys: anything that JSON can hold.
Anything = Annotated[Any, WithJsonSchema({})]
# A value for an environment variable: numbers and switches stand for what was written.
EnvironmentValue = Annotated[Any, WithJsonSchema({"type": ["string", "number", "boolean"]})]
