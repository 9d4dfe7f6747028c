"""Reading `ephemeral_environments`: environments that a branch claims for a while."""

from shared.language.manifest import EphemeralEnvironment
from shared.language.manifest.part import RULES, SLUG_PATTERN
from shared.language.node import Mapping
from shared.language.problem import quoted
from shared.language.reading import Reader
from shared.language.reference import SLUG, References
from shared.language.stage_reading import check_region, check_vars

ENVIRONMENTS_MAX = 20


def read_environments(
    node: Mapping | None, steps: References, reader: Reader
) -> dict[str, EphemeralEnvironment]:
    """Return every environment that could be read."""
    if node is None:
        return {}
    if len(node.entries) > ENVIRONMENTS_MAX:
        place = node.entries[ENVIRONMENTS_MAX][0].place
        message = f"there are more than {ENVIRONMENTS_MAX} ephemeral environments"
        reader.problems.add(place, message, rule="limit")
    found: dict[str, EphemeralEnvironment] = {}
    for key, body in node.entries[:ENVIRONMENTS_MAX]:
        title = f"ephemeral environment {quoted(key.text)}"
        if not SLUG.fullmatch(key.text):
            message = f"{quoted(key.text)} cannot name an ephemeral environment"
            reader.problems.add(key.place, message, RULES[SLUG_PATTERN].removeprefix("be "))
        if not isinstance(body, Mapping):
            message = f"{title} must be a mapping"
            reader.problems.add(body.place, message, "write its triggers: …", "wrong-type")
            continue
        for name in reader.names(body, "skip"):
            steps.find(name.text, name.place, reader.problems)
        check_vars(body.get("vars"), reader)
        environment = reader.part(body, EphemeralEnvironment, title)
        if environment:
            check_region(environment.region, body, reader)
            found[key.text] = environment
    return found
