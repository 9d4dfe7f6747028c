"""What `windlass init` writes deploys as it is: a push without a pipeline, a proposal, a push, an answer."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.e2e.program import WINDLASS, Program
from tests.e2e.quay import ANSWER_SECONDS_MAX, Document, Quay, Tenant, moored_at
from tests.ports import free_port

SERVER = """\
import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        known = {"/healthz": "well", "/": "%s"}
        self.send_response(200 if self.path in known else 404)
        self.end_headers()
        self.wfile.write(known.get(self.path, "").encode())


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
# A wrapper that makes what Gradle would make: a folder with a program that starts the server.
GRADLEW = """\
test "$1" = installDist
mkdir -p build/install/chat/bin
printf '#!/bin/sh\\nexec python3 build/install/chat/server.py\\n' > build/install/chat/bin/chat
chmod +x build/install/chat/bin/chat
cp src/server.txt build/install/chat/server.py
"""

STAGES = ["staging", "production"]

Files = Mapping[str, str]

# What lies in a repository, and what each service answers for `/` once it is deployed.
SHAPES: Mapping[str, tuple[Files, Mapping[str, str]]] = {
    "pages": ({"index.html": "pages"}, {"": "pages"}),
    "library": ({"server.py": SERVER % "library"}, {"": "library"}),
    "procfile": (
        {"Procfile": 'web: python3 app/run.py "$PORT"', "app/run.py": SERVER % "procfile", "notes.txt": ""},
        {"": "procfile"},
    ),
    "built": (
        {
            "build.gradle.kts": """plugins { application }
            dependencies { implementation("io.ktor:ktor-server-netty:3.0.0") }""",
            "settings.gradle.kts": 'rootProject.name = "chat"',
            "gradlew": GRADLEW,
            "src/server.txt": SERVER % "built",
        },
        {"chat": "built"},
    ),
    "several": (
        {"api/server.py": SERVER % "api", "web/index.html": "web", "README": ""},
        {"api": "api", "web": "web"},
    ),
    "Odd_names.x": (
        {'a "b": c/server.py': SERVER % "odd", "${{ x }}/server.py": SERVER % "odder"},
        {"a-b-c": "odd", "x": "odder"},
    ),
}

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def moored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quay]:
    """Give an installation with a loopback address of its own for what it deploys.

    The ports follow from the names: at an address that others have too, one of them may be taken.
    """
    number = os.getpid()
    host = f"127.{64 + (number >> 16) % 64}.{number >> 8 & 255}.{number & 255}"
    program = Program(tmp_path_factory.mktemp("quay"), free_port(), {"WINDLASS_GATEWAY_HOST": host})
    with moored_at(Quay(program, stable_host=host)) as quay:
        yield quay


def commit(tenant: Tenant, files: Files) -> str:
    """Commit what lies in the working copy, these files among it, as a person does it."""
    for path, text in files.items():
        file = tenant.copy.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    tenant.copy.git("add", "--all")
    tenant.copy.git("commit", "-q", "-m", "a change")
    return tenant.copy.git("rev-parse", "HEAD")


def init(folder: Path) -> Path:
    """Run the command in the working copy, and return the file that it says it wrote."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder.parent)}
    ended = subprocess.run(
        [WINDLASS, "init"], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return Path(ended.stdout.splitlines()[0].removeprefix("Wrote ").removesuffix("."))


async def carried_out(quay: Quay, slug: str) -> list[Document]:
    """Return the runs of the first revision, by stage, once there will be no other."""

    async def runs() -> list[Document]:
        answer = await quay.operator.get(f"/api/v1/pipelines/{slug}/revisions/1")
        return sorted(answer.json().get("runs", ()), key=lambda run: STAGES.index(run["stage"]))

    def is_over(runs: list[Document]) -> bool:
        has_failed = any(run["final"] and run["state"] != "Succeeded" for run in runs)
        return has_failed or [run["stage"] for run in runs if run["final"]] == STAGES

    return await quay.until(runs, is_over, ANSWER_SECONDS_MAX)


@pytest.mark.parametrize("shape", SHAPES)
async def test_the_proposed_pipeline_deploys_unchanged_and_answers(quay: Quay, shape: str) -> None:
    files, answers = SHAPES[shape]
    tenant = await quay.tenant(shape)
    refused = await tenant.push(commit(tenant, files))
    assert refused["refused_code"] == "no_pipeline"
    assert "`windlass init` writes a pipeline for that" in refused["refused_message"]

    file = init(tenant.copy.folder)
    text = file.read_text("utf-8")
    assert text == refused["proposal"]

    slug = file.parent.name
    planned = await tenant.push(commit(tenant, {}))
    assert [each["decision"] for each in planned["decisions"]] == ["planned"], planned
    runs = await carried_out(quay, slug)
    assert [run["state"] for run in runs] == ["Succeeded", "Succeeded"], await quay.output_of(slug, 1)
    stages = yaml.safe_load(text)["pipeline"]["stages"]
    for ports in (stage["vars"] for stage in stages):
        for service, body in answers.items():
            port = ports[f"port_{(service or slug).replace('-', '_')}"]
            answer = await quay.stranger.get(f"http://{quay.stable_host}:{port}/")
            assert (answer.status_code, answer.text.strip()) == (200, body)
