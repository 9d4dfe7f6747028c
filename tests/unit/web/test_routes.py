"""Routers put together."""

import httpx
from fastapi import APIRouter, Depends, FastAPI, HTTPException

from shared.web.routes import joined


def _closed() -> None:
    raise HTTPException(401)


def _answer() -> str:
    return "here"


def _router(prefix: str, *, closed: bool = False) -> APIRouter:
    router = APIRouter(prefix=prefix, dependencies=[Depends(_closed)] if closed else [])
    router.add_api_route("/place", _answer)
    return router


def test_the_routes_are_the_very_ones_in_their_order() -> None:
    one, two = _router("/one"), _router("/two")
    assert joined(joined(one), two).routes == [*one.routes, *two.routes]


async def test_each_keeps_its_prefix_and_who_may_come() -> None:
    app = FastAPI()
    app.router.routes.extend(joined(_router("/open"), _router("/closed", closed=True)).routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test") as client:
        answers = {path: await client.get(path) for path in ("/open/place", "/closed/place", "/place")}
    assert answers["/open/place"].json() == "here"
    assert [answer.status_code for answer in answers.values()] == [200, 401, 404]
