"""The one HTTP application of the process: all its services' routes, and its vitals."""

from collections.abc import Sequence

from fastapi import FastAPI

from shared import problems
from shared.service import Service
from shared.web.described import describe
from shared.web.routes import joined
from shared.web.short_way import ShortWays
from shared.web.vitals import Vitals


def make_app(services: Sequence[Service], vitals: Vitals) -> FastAPI:
    """Put every service's routes into one application."""
    app = ShortWays(
        title="Windlass",
        version="1",
        description="Continuous deployment, one revision at a time through each stage.",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
    )
    problems.install(app)
    app.router.routes.extend(vitals.router().routes)

    @app.get("/", tags=["process"], summary="What answers here")
    async def root() -> dict[str, str]:
        return {"name": "Windlass", "status": "/api/v1/pipelines", "description": "/openapi.json"}

    routers = [service.router for service in services if service.router is not None]
    app.router.routes.extend(joined(*routers).routes)
    app.shorten()
    describe(app)
    return app
