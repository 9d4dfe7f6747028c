"""What a repository gets that is wrong, hostile or gone: its own answer, and the others none of it."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.quay import Document, Quay

TEN_MISTAKES = """\
version: "2"
pipeline:
  tracks: 7
  stagse: []
  stages:
    - name: Staging Area
      target: moon
    - name: live
      timeout_minutes: -1
  artifacts:
    App:
      type: BUNDLE:BUILT
      params: {file_path: /dist}
    Site:
      type: BUNDLE:BUILD
      rebuild_when_changed: [../secrets]
      params: {file_path: dist, build_commands: [make]}
  steps:
    - name: go
      type: SCRIPT:EXECUT
    - name: serve
      type: LOCAL:SERVICE:DEPLOY
      goes_after: [nobody]
      params: {artifact: Ap, command: "run", prot: 80}
"""

SCRIPT = """\
version: "1"
pipeline:
  tracks: %s
  stages: [{name: live}]
  steps:
    - name: say
      type: SCRIPT:EXECUTE
      params: {commands: ['echo "on $WINDLASS_BRANCH"']}
"""

BUNDLE = """\
version: "1"
pipeline:
  stages: [{name: live}]
  artifacts:
    App:
      type: BUNDLE:BUILD
      rebuild_when_changed: [%s]
      params: {file_path: %s, build_commands: [%s]}
  steps:
    - name: say
      type: SCRIPT:EXECUTE
      params: {artifact: App, commands: [ls]}
"""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def _command_for_a_name(canary: Path) -> str:
    return f"$(touch${{IFS}}{canary})"


def the_decision(push: Document) -> Document:
    """Return the one decision of a push."""
    (decision,) = push["decisions"]
    return dict(decision)


async def test_ten_mistakes_in_a_pipeline_file_are_told_at_once_with_their_lines(quay: Quay) -> None:
    tenant = await quay.tenant("mistaken")

    push, _ = await asyncio.gather(
        tenant.push_files({".windlass/ten/pipeline.yaml": TEN_MISTAKES}), quay.neighbour.deploys()
    )

    decision = the_decision(push)
    problems = {(problem["line"], problem["message"]) for problem in decision["problems"]}
    assert decision["decision"] == "rejected"
    assert {line for line, _ in problems} >= {1, 3, 4, 6, 7, 9, 12, 16, 17, 20, 23, 24}, problems
    assert all(problem["file"] == ".windlass/ten/pipeline.yaml" for problem in decision["problems"])
    assert all(problem["column"] >= 1 for problem in decision["problems"])
    shown = await quay.get("pipelines/ten")
    assert shown["rejected"]["problems"] == decision["problems"]
    assert shown["newest_revision"] is None
    mended = await tenant.push_files({".windlass/ten/pipeline.yaml": SCRIPT % "main"})
    assert the_decision(mended)["decision"] == "planned"
    assert (await quay.outcome("ten", 1))["state"] == "Succeeded"


# Each line nine times the one before.
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HOPELESS_FILES = {
    "empty": ("", "empty"),
    "no text": ("\udcff\udcfe\x00", "UTF-8"),
    "broken": ("a: [1, 2", "YAML"),
    "a tag that makes objects": ('!!python/object/apply:os.system ["id"]', "tag"),
    "a bomb": (BOMB, "more than"),
    "deep": ("[" * 10_000, "nested"),
    "large": ("# " + "x" * 300_000, "larger than"),
    "a list": ("[1, 2]", "mapping"),
}


async def test_files_that_cannot_be_read_say_what_is_wrong_with_them(quay: Quay) -> None:
    tenant = await quay.tenant("hopeless")
    files = {
        f".windlass/{name.replace(' ', '-')}/pipeline.yaml": text.encode("utf-8", "surrogateescape")
        for name, (text, _) in HOPELESS_FILES.items()
    }

    push = await tenant.push(tenant.copy.commit(files))

    told = {each["pipeline"]: each for each in push["decisions"]}
    assert {each["decision"] for each in told.values()} == {"rejected"}
    for name, (_, word) in HOPELESS_FILES.items():
        problems = told[name.replace(" ", "-")]["problems"]
        assert any(word in problem["message"] for problem in problems), (name, problems)


async def test_a_repository_that_vanished_is_told_of_and_taken_up_when_it_is_back(quay: Quay) -> None:
    tenant = await quay.tenant("vanishing")
    folder = tenant.copy.folder
    commit = tenant.copy.commit({".windlass/vanishing/pipeline.yaml": (SCRIPT % "main").encode()})
    folder.rename(folder.with_name("elsewhere"))

    push, _ = await asyncio.gather(tenant.push(commit), quay.neighbour.deploys())

    assert push["refused_code"] == "source_unreachable"
    assert "could not fetch branch 'main'" in push["refused_message"]
    folder.with_name("elsewhere").rename(folder)
    answer = await quay.operator.post(
        "/api/v1/pipelines/vanishing/deploy", params={"repository": "vanishing"}, json={"commit": commit}
    )
    assert answer.status_code == 202, answer.text
    assert (await quay.outcome("vanishing", 1))["state"] == "Succeeded"


async def test_a_repository_that_vanished_before_its_build_is_built_from_what_was_fetched(quay: Quay) -> None:
    tenant = await quay.tenant("fleeting")
    text = BUNDLE % ("/", "/app", "true")
    push = await tenant.push_files({".windlass/fleeting/pipeline.yaml": text, "app/a": "1"})
    shutil.rmtree(tenant.copy.folder)

    assert the_decision(push)["decision"] == "planned"
    assert (await quay.outcome("fleeting", 1))["state"] == "Succeeded"


async def test_a_commit_that_is_not_in_the_repository_is_refused_by_its_name(quay: Quay) -> None:
    tenant = await quay.tenant("absent")
    tenant.copy.commit({".windlass/absent/pipeline.yaml": (SCRIPT % "main").encode()})

    push = await tenant.push("deadbeef" * 5)

    assert push["refused_code"] == "commit_unreachable"
    assert "deadbeef" * 5 in push["refused_message"]
    assert "push it to that branch" in push["refused_message"]


async def test_a_commit_of_another_branch_is_not_deployed_as_this_one(quay: Quay) -> None:
    tenant = await quay.tenant("aside")
    files = {".windlass/aside/pipeline.yaml": (SCRIPT % "main").encode()}
    tenant.copy.commit(files)
    elsewhere = tenant.copy.commit(files | {"other": b"1"}, branch="other")

    push = await tenant.push(elsewhere)

    assert push["refused_code"] == "commit_unreachable"


async def test_a_branch_that_is_not_there_is_refused(quay: Quay) -> None:
    tenant = await quay.tenant("branchless")
    commit = tenant.copy.commit({".windlass/branchless/pipeline.yaml": (SCRIPT % "main").encode()})

    push = await tenant.push(commit, "no-such-branch")

    assert push["refused_code"] == "commit_unreachable"
    assert "no-such-branch" in push["refused_message"]


async def test_a_repository_without_a_pipeline_file_is_told_where_to_put_one(quay: Quay) -> None:
    tenant = await quay.tenant("bare")

    push = await tenant.push_files({"README": "nothing here"})

    assert push["refused_code"] == "no_pipeline"
    assert ".windlass/<name>/pipeline.yaml" in push["refused_message"]


async def test_a_branch_whose_name_is_a_command_is_only_a_name(quay: Quay) -> None:
    canary = quay.program.folder / "canary"
    branch = _command_for_a_name(canary)
    tenant = await quay.tenant("substituted")
    files = {".windlass/substituted/pipeline.yaml": SCRIPT % f"'{branch}'"}

    push = await tenant.push_files(files, branch)

    assert the_decision(push)["decision"] == "planned"
    assert (await quay.outcome("substituted", 1))["state"] == "Succeeded"
    assert await quay.output_of("substituted", 1) == [f"on {branch}"]
    assert not canary.exists()


async def test_options_for_names_reach_no_program(quay: Quay) -> None:
    canary = quay.program.folder / "canary"
    tenant = await quay.tenant("optional")
    commit = tenant.copy.commit({".windlass/optional/pipeline.yaml": (SCRIPT % "main").encode()})
    for branch in (f"--upload-pack=touch {canary}", "--upload-pack=x", "-x"):
        asked = {"commit": commit, "branch": branch}
        answer = await quay.operator.post(
            "/api/v1/pipelines/optional/deploy", params={"repository": "optional"}, json=asked
        )
        assert answer.status_code == 400, answer.text
    for name in (f"--output={canary}", "$(id)", "-x", "HEAD~1"):
        answer = await quay.operator.post(
            "/api/v1/pipelines/optional/deploy", params={"repository": "optional"}, json={"commit": name}
        )
        assert answer.status_code == 400, answer.text

    assert not canary.exists()


async def test_a_link_that_leaves_the_repository_fails_the_build_by_name(quay: Quay) -> None:
    for slug, target in (("absolute", "/etc"), ("upwards", "../../../../etc")):
        tenant = await quay.tenant(slug)
        text = BUNDLE % ("/app", "/app", "true")
        tenant.copy.git("read-tree", "--empty")
        tenant.copy.stage("100644", text.encode(), f".windlass/{slug}/pipeline.yaml")
        tenant.copy.stage("100644", b"1", "app/a")
        tenant.copy.stage("120000", target.encode(), "app/way-out")

        await tenant.push(tenant.copy.commit_staged())
        run = await quay.outcome(slug, 1)

        assert run["state"] == "Failed"
        assert "the link 'app/way-out' leads out of the repository" in run["evidence"]["message"]
        assert str(quay.program.folder) not in run["evidence"]["message"]


async def test_a_link_as_a_source_is_a_mistake_in_the_pipeline_file(quay: Quay) -> None:
    tenant = await quay.tenant("source-link")
    tenant.copy.git("read-tree", "--empty")
    text = BUNDLE % ("/linked", "/app", "true")
    tenant.copy.stage("100644", text.encode(), ".windlass/source-link/pipeline.yaml")
    tenant.copy.stage("100644", b"1", "app/a")
    tenant.copy.stage("120000", b"/etc", "linked")

    decision = the_decision(await tenant.push(tenant.copy.commit_staged()))

    assert decision["decision"] == "rejected"
    (problem,) = decision["problems"]
    assert (problem["line"], "is a link" in problem["message"]) == (7, True)


async def test_a_pipeline_file_that_is_a_link_is_not_followed(quay: Quay) -> None:
    tenant = await quay.tenant("linked-file")
    tenant.copy.git("read-tree", "--empty")
    tenant.copy.stage("120000", b"/etc/passwd", ".windlass/linked-file/pipeline.yaml")

    decision = the_decision(await tenant.push(tenant.copy.commit_staged()))

    assert decision["decision"] == "rejected"
    (problem,) = decision["problems"]
    assert problem["message"] == "this is a link, not a file"


NO_ARTIFACTS = {
    "linked": ("ln -s /etc out", "out leads out of the workspace"),
    "linking": ("mkdir out; ln -s ../../../../../etc/passwd out/p", "link p to ../../../../../etc/passwd"),
    "piped": ("mkdir out; mkfifo out/pipe", "pipe is a fifo, which no artifact may hold"),
    "outless": ("true", "out"),
}


async def test_an_output_that_is_no_artifact_is_refused_by_name(quay: Quay) -> None:
    for slug, (commands, told) in NO_ARTIFACTS.items():
        tenant = await quay.tenant(slug)
        text = BUNDLE % ("/app", "/out", f'"{commands}"')

        await tenant.push_files({f".windlass/{slug}/pipeline.yaml": text, "app/a": "1"})
        run = await quay.outcome(slug, 1)

        assert run["state"] == "Failed"
        assert told in run["evidence"]["message"]
        assert str(quay.program.folder) not in run["evidence"]["message"]


def test_the_canary_is_put_there_wherever_a_shell_reads_the_name(tmp_path: Path) -> None:
    canary = tmp_path / "canary"

    subprocess.run(["sh", "-c", f"echo {_command_for_a_name(canary)}"], check=True)

    assert canary.exists()
