"""Attempts with all services: what the classifier says may pass is tried again, and nothing else."""

import pytest

from tests.e2e.quay import Quay

# Fails as a network does, once; or as a program does.
FETCH = """\
version: "1"
pipeline:
  stages: [{name: production}]
  steps:
    - name: Fetch
      type: SCRIPT:EXECUTE
      attempts: {max: 3, backoff_seconds: 1}
      params:
        env: {SEEN: "%s"}
        commands:
          - 'if test -e "$SEEN"; then exit 0; fi'
          - touch "$SEEN"
          - 'echo "%s" >&2'
          - exit 6
"""


pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("said", "state", "attempts"),
    [
        pytest.param("curl: (6) Could not resolve host: example.org", "Succeeded", 2, id="network"),
        pytest.param("fetch: no such option", "Failed", 1, id="program"),
    ],
)
async def test_a_step_is_tried_again_if_its_failure_may_pass(
    quay: Quay, said: str, state: str, attempts: int
) -> None:
    tenant = await quay.tenant(f"attempts-{state.lower()}")
    seen = quay.program.folder / f"seen-{state}"
    path = f".windlass/attempts-{state.lower()}/pipeline.yaml"
    answer = await tenant.push_files({path: FETCH % (seen, said)})
    assert answer["decisions"][0]["decision"] == "planned", answer
    run = await quay.outcome(f"attempts-{state.lower()}", answer["decisions"][0]["revision"])
    assert run["state"] == state
    assert run["steps"][0]["attempt"] == attempts
