"""The API's own description of how it refuses: problem documents, with the statuses that they come with.

FastAPI describes a mistaken request as 422 with a document of its own; here it is 400 with a problem document
(`shared.problems`), as everything is that is not the answer hoped for. So it is described at one place, for
all services, from what an operation takes. A route that has more to say of a status says it itself.
"""

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI

from shared.problems import MEDIA_TYPE, ProblemDocument

FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")
NAME = ProblemDocument.__name__

MISTAKEN = "The request makes no sense: a parameter, a header or the body is not as described here."
NO_TOKEN = "There is no token, or not a valid one."  # noqa: S105 - a sentence
NOT_THIS = "The token is good for telling how an alarm stands, and for nothing else."
UNKNOWN = "What the address names is not there; the answer says what is known, where that helps."
CONFLICT = "It does not go with what is so already: an idempotency key used for something else, say."
ANY_OTHER = (
    "Any other refusal: 401 for a webhook whose signature is wrong, 405 for another method, 408 and 413 for "
    "a body that is too slow or too large, 503 while it is not possible, 504 where `min_position` is not "
    "known in time, 500 for a defect of Windlass."
)


def describe(app: FastAPI) -> None:
    """Have the application describe its refusals as it makes them."""
    plain: Callable[[], dict[str, Any]] = app.openapi

    def described() -> dict[str, Any]:
        document = plain()  # the same one each time
        for path, item in document["paths"].items():
            for method, operation in item.items():
                _say_refusals(path, method, operation)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for name in FASTAPIS_OWN:
            schemas.pop(name, None)
        schemas.setdefault(NAME, ProblemDocument.model_json_schema())
        return document

    app.openapi = described  # type: ignore[method-assign]  # as FastAPI's documentation has it


def _say_refusals(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    may_be_mistaken = responses.pop("422", None) is not None
    for status, description in _refusals(path, method, operation, may_be_mistaken=may_be_mistaken):
        responses.setdefault(status, refused(description))


def _refusals(
    path: str, method: str, operation: dict[str, Any], *, may_be_mistaken: bool
) -> Iterator[tuple[str, str]]:
    if may_be_mistaken:
        yield "400", MISTAKEN
    if operation.get("security"):
        yield "401", NO_TOKEN
        yield "403", NOT_THIS
    if "{" in path:
        yield "404", UNKNOWN
    if method == "post":
        yield "409", CONFLICT
    yield "default", ANY_OTHER


def refused(description: str) -> dict[str, Any]:
    """Return how a refusal is described."""
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{NAME}"}}}
    return {"description": description, "content": content}
