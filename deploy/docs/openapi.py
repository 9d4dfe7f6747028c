"""The HTTP API's contract as a file, so that a change of it shows in review."""

import json

from deploy.docs.wiring import wired
from shared.web.application import make_app
from shared.web.vitals import Vitals


def render() -> str:
    """Return the OpenAPI document of all services together."""
    with wired() as (database, services):
        document = make_app(services, Vitals(database)).openapi()
    return json.dumps(document, indent=2, sort_keys=True) + "\n"
