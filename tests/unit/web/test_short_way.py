"""The short way past the framework: every answer is what it would be on the long one."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response

from shared import metrics, problems
from shared.faults import TryAgain
from shared.problems import ProblemError
from shared.web.counting import Counted
from shared.web.short_way import ShortWay, ShortWays

Endpoint = Callable[..., Awaitable[Response]]


async def _echo(request: Request, name: Annotated[str, Query()] = "") -> Response:
    return JSONResponse({"name": name, "body": (await request.body()).decode()}, 202)


def _raising(error: Exception) -> Endpoint:
    async def endpoint(_request: Request) -> Response:
        raise error

    return endpoint


def _routed(app: FastAPI, endpoint: Endpoint, **more: Any) -> None:
    problems.install(app)
    router = APIRouter()
    router.add_api_route("/door", endpoint, methods=["POST"], response_class=Response, **more)
    app.router.routes.extend(router.routes)


def _short(endpoint: Endpoint) -> ShortWays:
    app = ShortWays()
    _routed(app, endpoint, route_class_override=ShortWay)
    app.shorten()
    return app


def _long(endpoint: Endpoint) -> FastAPI:
    app = FastAPI()
    _routed(app, endpoint)
    return app


async def _asked(app: Any, method: str = "POST", url: str = "/door", **more: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://windlass.test") as client:
        return await client.request(method, url, **more)


def _told(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
    return answer.status_code, dict(answer.headers), answer.text


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", "/door?name=acme%2Fshop&name=other&x=1", "hello"),
        ("POST", "/door", ""),
        ("POST", "/door?name", "hello"),
        ("POST", "/door?name=%ff%00&&==", "hello"),
        ("GET", "/door", ""),
        ("HEAD", "/door", ""),
        ("POST", "/door/", ""),
        ("POST", "/doo%72?name=a", "hello"),
        ("POST", "/elsewhere", ""),
    ],
)
async def test_whatever_is_asked_it_is_answered_as_on_the_long_way(method: str, url: str, body: str) -> None:
    answers = [await _asked(make(_echo), method, url, content=body) for make in (_short, _long)]
    assert _told(answers[0]) == _told(answers[1])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ProblemError(409, "taken", "It is taken.", next_="Take another.", headers={"X-Taken": "1"}), 409),
        (TryAgain("the disk is full"), 503),
        (ValueError("a bug"), 500),
    ],
)
async def test_what_is_raised_is_told_as_on_the_long_way(error: Exception, status: int) -> None:
    answers = [await _asked(make(_raising(error))) for make in (_short, _long)]
    assert _told(answers[0]) == _told(answers[1])
    assert answers[0].status_code == status


async def test_a_bug_is_raised_on_for_the_log() -> None:
    transport = httpx.ASGITransport(_short(_raising(ValueError("a bug"))))
    async with httpx.AsyncClient(transport=transport, base_url="http://windlass.test") as client:
        with pytest.raises(ValueError, match="a bug"):
            await client.post("/door")


async def test_nothing_of_the_framework_is_in_between() -> None:
    app = _short(_echo)
    await _asked(app)
    assert app.middleware_stack is None, "it is built at the first request that goes through it"
    await _asked(app, "GET")
    assert app.middleware_stack is not None


async def test_its_answers_are_counted_by_its_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics.REQUESTS, "values", {})
    app = Counted(_short(_echo))
    await _asked(app, url="/door?name=a")
    await _asked(Counted(_short(_raising(TryAgain("away")))))
    assert metrics.REQUESTS.values == {("POST", "/door", "202"): 1, ("POST", "/door", "503"): 1}


def test_it_is_described_as_any_other() -> None:
    described = [make(_echo).openapi()["paths"]["/door"]["post"] for make in (_short, _long)]
    assert described[0] == described[1]
    assert [parameter["name"] for parameter in described[0]["parameters"]] == ["name"]
