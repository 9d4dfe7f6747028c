"""Which pushes a pipeline is for: `tracks`, as the user writes it and as it is asked.

A name is tracked when a pattern matches it and no exclusion does, in whatever order they stand: an
exclusion never depends on what comes after it. What becomes of a tracked push is not decided here.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError

from shared.language.ref_glob import can_match, has_wildcard, matches
from shared.plan import Tracked
from shared.ref_name import REF_NAME_BYTES_MAX

USUAL_BRANCH = "main"  # what is tracked unless the file says otherwise
PATTERNS_MAX = 50  # of branches, of tags
PATHS_MAX = 50
PATH_CHARACTERS_MAX = 1_000
SHOWN_MAX = 5  # names of a kind in a sentence
EXCLUSION = "!"

Kind = Literal["branches", "tags", "paths"]
_KINDS: tuple[Kind, ...] = get_args(Kind)
_PREFIXES = ("refs/heads/", "refs/tags/", "refs/")


def _wrong(message: str, hint: str = "") -> PydanticCustomError:
    return PydanticCustomError("language", "{message}", {"message": message, "hint": hint})


def _check_pattern(text: str) -> str:
    """Refuse what no branch or tag can be called."""
    wanted = text.removeprefix(EXCLUSION)
    prefix = next((prefix for prefix in _PREFIXES if wanted.startswith(prefix)), "")
    if len(wanted.encode(errors="replace")) > REF_NAME_BYTES_MAX:
        raise _wrong(f"is longer than any name: {REF_NAME_BYTES_MAX} bytes")
    if prefix:
        hint = f'did you mean "{text.replace(prefix, "", 1)}"?'
        raise _wrong("is a whole ref, and names are written without what comes before them", hint)
    if "${{" in text:
        raise _wrong("is not resolved: expressions have no meaning here", "write the name itself")
    if not can_match(wanted):
        hint = "patterns know *, ** and ?, and ! at the front" if set("[]{}\\") & set(wanted) else ""
        raise _wrong("can never match: no branch or tag can be called so", hint)
    return text


def _check_path(text: str) -> str:
    """Return the path as it is compared: from the root, without a slash at its end."""
    parts = [part for part in text.split("/") if part not in {"", "."}]
    if "*" in text or "?" in text:
        raise _wrong(
            "is a pattern, and a pattern matches nothing here", "name the folder: everything below it counts"
        )
    if not text.startswith("/"):
        hint = f'did you mean "/{text.lstrip("./")}"?'
        raise _wrong("must start with a slash, which stands for the repository", hint)
    if ".." in parts:
        raise _wrong("leaves the repository", "name a path inside of it")
    if len(text) > PATH_CHARACTERS_MAX or not text.isprintable():
        raise _wrong("is not a path")
    return f"/{'/'.join(parts)}"


def _check_count(most: int) -> AfterValidator:
    """Refuse lists that are empty or too long; pydantic's own check counts entries that were refused, too."""

    def check(entries: tuple[str, ...]) -> tuple[str, ...]:
        if not entries:
            raise _wrong("must not be empty", "leave it out, or name something")
        if len(entries) > most:
            raise _wrong(f"must have at most {most} entries")
        return entries

    return AfterValidator(check)


def _check_some_left(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse exclusions that leave nothing."""
    wanted = [text for text in patterns if not text.startswith(EXCLUSION)]
    excluded = [text.removeprefix(EXCLUSION) for text in patterns if text.startswith(EXCLUSION)]
    if patterns and not wanted:
        raise _wrong("must name something to track beside what is excluded", 'put "**" before it')
    left = [text for text in wanted if not any(_covers(other, text) for other in excluded)]
    if patterns and not left:
        raise _wrong("excludes all that it names", "remove the exclusion, or name something else")
    return patterns


def _covers(exclusion: str, pattern: str) -> bool:
    if exclusion in {pattern, "**"}:
        return True
    return not has_wildcard(pattern) and matches(exclusion, pattern)


_PATTERN = "^!?[^\\x00-\\x20\\x7f~^:\\[\\\\]+$"  # what an editor can tell of a pattern
Pattern = Annotated[
    str,
    AfterValidator(_check_pattern),
    Field(json_schema_extra={"pattern": _PATTERN, "maxLength": REF_NAME_BYTES_MAX + 1}),
]
TrackedPath = Annotated[str, AfterValidator(_check_path), Field(json_schema_extra={"pattern": "^/[^*?]*$"})]
Patterns = Annotated[
    tuple[Pattern, ...],
    _check_count(PATTERNS_MAX),
    AfterValidator(_check_some_left),
    Field(json_schema_extra={"minItems": 1, "maxItems": PATTERNS_MAX}),
]
Paths = Annotated[
    tuple[TrackedPath, ...],
    _check_count(PATHS_MAX),
    Field(json_schema_extra={"minItems": 1, "maxItems": PATHS_MAX}),
]


class Tracks(BaseModel):
    """A branch, a list of branches, or a mapping: which pushes deploy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    branches: Patterns = Field(
        default=(),
        description="Names and patterns of branches: `*` does not cross a slash, `**` does, `?` is one "
        "character, `!` in front excludes; main unless branches or tags are given",
        examples=[["main", "release/**", "!release/old"]],
    )
    tags: Patterns = Field(
        default=(), description="Names and patterns of tags; none unless said", examples=[["v*"]]
    )
    paths: Paths = Field(
        default=(),
        description="Only commits count in which something at or below one of these differs from what was "
        "planned last; the pipeline file always counts",
        examples=[["/app", "/lib"]],
    )

    @classmethod
    def of(cls, text: str) -> "Tracks":
        """Return what `stored` gave, or one branch; never raises, whatever an older release kept."""
        if text.startswith("{") and ":" in text:  # which no branch's name has in it
            with suppress(ValueError, RecursionError):
                return cls.model_validate(json.loads(text))
        return cls.model_construct(branches=(text,), tags=(), paths=())

    def stored(self) -> str:
        """Return it as the text that `of` reads."""
        dumped: Any = self.model_dump()
        return dumped if isinstance(dumped, str) else json.dumps(self._mapping())

    def planned(self) -> Tracked:
        """Return it as a plan has it: the same for whatever order it is written in."""
        return Tracked.model_validate(
            {kind: sorted(set(entries)) for kind, entries in self._mapping().items()}
        )

    def branch(self, name: str) -> bool:
        """Tell whether pushes to this branch count."""
        return _any_matches(self.branches, name)

    def tag(self, name: str) -> bool:
        """Tell whether pushes of this tag count."""
        return _any_matches(self.tags, name)

    def describe(self) -> str:
        """Return it in a sentence's words: `tracks main, release/* and tags v*`."""
        branches, tags = _listed(self.branches), _listed(self.tags)
        named = " and ".join(words for words in (branches, f"tags {tags}" if tags else "") if words)
        return f"tracks {named or 'nothing'}"

    def paths_shown(self) -> str:
        """Return the paths in a sentence's words: `/app, /lib`."""
        return _some(self.paths)

    def _mapping(self) -> dict[str, list[str]]:
        return {kind: list(getattr(self, kind)) for kind in _KINDS if getattr(self, kind)}

    @model_serializer
    def _shortest(self) -> Any:
        """Write it as a person would: a name, a list, or a mapping without empty lists."""
        if self.tags or self.paths:
            return self._mapping()
        return self.branches[0] if len(self.branches) == 1 else list(self.branches)

    @model_validator(mode="wrap")
    @classmethod
    def _any_form(cls, value: Any, handler: ModelWrapValidatorHandler["Tracks"]) -> "Tracks":
        """Take the short forms; their mistakes are placed where they stand in what was written."""
        match value:
            case str():
                return _relocated(handler, {"branches": [value]}, 2)
            case list() | tuple():
                return _relocated(handler, {"branches": value}, 1)
            case dict() if not {"branches", "tags"} & value.keys():
                return handler({"branches": [USUAL_BRANCH], **value})
            case int() | float():
                raise PydanticCustomError("string_type", "must be text")
        return handler(value)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return all three forms."""
        mapping = handler.resolve_ref_schema(handler(core_schema))
        properties = mapping["properties"]
        listing = {key: properties["branches"][key] for key in ("type", "items", "minItems", "maxItems")}
        about = {"description": mapping.pop("description", ""), "title": mapping.pop("title", "Tracks")}
        alone = {**listing["items"], "description": "One branch, or a pattern of branches"}
        several = {**listing, "description": "Branches, and patterns of them"}
        examples = [
            USUAL_BRANCH,
            ["main", "release/*"],
            {"branches": ["main"], "tags": ["v*"], "paths": ["/app"]},
        ]
        schema = {
            **about,
            "anyOf": [alone, several, dict(mapping)],
            "default": USUAL_BRANCH,
            "examples": examples,
        }
        mapping.clear()
        mapping.update(schema)
        return mapping


def is_wider(kind: str, old: Sequence[str], new: Sequence[str]) -> bool:
    """Tell whether pushes may count that did not; of patterns, only equal ones are known to match no more."""
    if kind == "paths":
        return bool(old) and not (new and all(_is_inside(path, old) for path in new))
    excluded_before, wanted_before = _split(old)
    excluded, wanted = _split(new)
    kept = wanted_before if excluded_before <= excluded else frozenset()
    return not all(text in kept if has_wildcard(text) else _any_matches(old, text) for text in wanted)


def _is_inside(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


def _split(patterns: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return what is excluded, and what is not."""
    excluded = frozenset(text for text in patterns if text.startswith(EXCLUSION))
    return excluded, frozenset(patterns) - excluded


def _relocated(handler: ModelWrapValidatorHandler[Tracks], value: dict[str, Any], without: int) -> Tracks:
    """Validate; take the first parts off where mistakes are, which nobody wrote."""
    try:
        return handler(value)
    except ValidationError as exc:
        errors = [_moved(error, error["loc"][without:]) for error in exc.errors(include_url=False)]
        raise ValidationError.from_exception_data("Tracks", errors) from None


def _moved(error: ErrorDetails, location: tuple[int | str, ...]) -> InitErrorDetails:
    said = PydanticCustomError(error["type"], "{message}", {"message": error["msg"], **error.get("ctx", {})})
    return InitErrorDetails(type=said, loc=location, input=error["input"])


def _any_matches(patterns: Sequence[str], name: str) -> bool:
    def found(wanted: Callable[[str], bool]) -> bool:
        return any(matches(text.removeprefix(EXCLUSION), name) for text in patterns if wanted(text))

    def excludes(text: str) -> bool:
        return text.startswith(EXCLUSION)

    return found(lambda text: not excludes(text)) and not found(excludes)


def _listed(patterns: Sequence[str]) -> str:
    wanted = [text for text in patterns if not text.startswith(EXCLUSION)]
    excluded = [text.removeprefix(EXCLUSION) for text in patterns if text.startswith(EXCLUSION)]
    words = _some(wanted)
    return f"{words} but not {_some(excluded)}" if excluded else words


def _some(names: Sequence[str]) -> str:
    more = len(names) - SHOWN_MAX
    return ", ".join(names[:SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


MAIN = Tracks.of(USUAL_BRANCH)
