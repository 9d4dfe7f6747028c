"""How every HTTP answer that is not the one hoped for looks: RFC 9457 problem documents with a way out.

A contract of all services that speak HTTP and of the command line, which prints `detail` and `next`.
"""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.faults import TryAgain

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5  # told to whoever meets a database that is away or a full queue
MISTAKES_TOLD_MAX = 10  # mistakes of one request listed in its answer
ECHO_CHARACTERS_MAX = 200  # of the caller's own text that an answer repeats


class ProblemDocument(BaseModel):
    """The body of a problem answer."""

    type: str  # "urn:windlass:problem:unknown-pipeline"
    title: str
    status: int
    detail: str  # what happened this time
    next: str  # what to do about it


class ProblemError(Exception):
    """Ends a request with a problem document."""

    def __init__(
        self, status: int, slug: str, detail: str, *, next_: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.document = ProblemDocument(
            type=f"urn:windlass:problem:{slug}",
            title=slug.replace("-", " ").capitalize(),
            status=status,
            detail=detail,
            next=next_,
        )
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return the answer."""
        body = self.document.model_dump_json().encode()
        return Response(body, self.document.status, self.headers, MEDIA_TYPE)


def unavailable(what: str) -> ProblemError:
    """Return the answer to a request that could not be taken now and was not."""
    return ProblemError(
        503,
        "not-possible-now",
        what,
        next_="Nothing was changed. Send the same request again in a few seconds.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def defect() -> ProblemError:
    """Return the answer to a request that met a bug; the log has more."""
    return ProblemError(
        500,
        "defect",
        "Windlass met a defect of its own while answering.",
        next_="The server's log has the details; please report them.",
    )


def response_to(fault: ProblemError | TryAgain) -> Response:
    """Return how a request is answered that ended with this."""
    if isinstance(fault, ProblemError):
        return fault.response()
    return unavailable(f"It is not possible now: {fault}.").response()


def install(app: FastAPI) -> None:
    """Give every error of `app` the one form."""
    app.add_exception_handler(ProblemError, _told)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(TryAgain, _told)
    app.add_exception_handler(Exception, _bug)


async def _told(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError | TryAgain)
    return response_to(error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    next_ = "GET /openapi.json lists every path, its methods and what they take."
    detail = f"{request.method} {request.url.path[:ECHO_CHARACTERS_MAX]}: {phrase.lower()}."
    slug = phrase.lower().replace(" ", "-")
    return ProblemError(error.status_code, slug, detail, next_=next_, headers=error.headers).response()


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    mistakes = [
        f"{'.'.join(str(part) for part in mistake['loc'])[:ECHO_CHARACTERS_MAX]}: {_said(mistake['msg'])}"
        for mistake in error.errors()[:MISTAKES_TOLD_MAX]
    ]
    detail = "; ".join(mistakes)
    return ProblemError(400, "invalid-request", detail, next_="Correct it and send it again.").response()


def _said(message: str) -> str:
    """Return what a validator said, without the name of the exception that said it."""
    return message.removeprefix("Value error, ").removeprefix("Assertion failed, ")


async def _bug(_request: Request, _error: Exception) -> Response:
    return defect().response()
