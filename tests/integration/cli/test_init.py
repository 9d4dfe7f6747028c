"""`windlass init`, as a person runs it in a repository that has no pipeline yet."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from services.cli.app import main
from shared.language import schema

SERVER = 'import os\nfrom http.server import HTTPServer\nHTTPServer(("", int(os.environ["PORT"])), H)\n'


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@dataclass
class Copy:
    """A working copy that one stands in, and its command line in this process."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    @property
    def file(self) -> Path:
        return self.root / ".windlass/shop/pipeline.yaml"

    def put(self, path: str, text: str = "") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file

    def run(self, *words: str) -> Ended:
        self.monkeypatch.setattr(sys, "argv", ["windlass", *words])
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        printed = self.capsys.readouterr()
        return Ended(int(end.value.code or 0), printed.out, printed.err)

    def git(self, *words: str) -> None:
        env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", *words], cwd=self.root, env=env, check=True, capture_output=True)

    def is_valid(self) -> bool:
        return self.run("validate").code == 0


@pytest.fixture
def copy(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Copy:
    root = tmp_path / "shop"
    root.mkdir()
    monkeypatch.chdir(root)
    made = Copy(root, capsys, monkeypatch)
    made.git("init", "-q", "-b", "main")
    return made


def test_a_repository_gets_a_pipeline_that_validates_and_hears_what_to_do_next(copy: Copy) -> None:
    copy.put("api/server.py", SERVER)
    copy.put("web/index.html", "hello")
    ended = copy.run("init")
    assert (ended.code, ended.err) == (0, "")
    assert f"Wrote {copy.file}." in ended.out
    assert "It deploys api, web here: to staging, then to production." in ended.out
    for command in ("windlass validate", "git add", "windlass repo add .", "git push"):
        assert command in ended.out
    assert copy.is_valid()
    first = copy.file.read_text("utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../pipeline.schema.json"
    written = json.loads((copy.root / ".windlass/pipeline.schema.json").read_text("utf-8"))
    assert written == schema.schema("pipeline")
    assert sorted(path.name for path in copy.file.parent.iterdir()) == ["pipeline.yaml"]


def test_a_pipeline_that_is_there_is_written_over_only_by_force(copy: Copy) -> None:
    copy.put("index.html")
    copy.put(".windlass/shop/pipeline.yaml", "mine")
    refused = copy.run("init")
    assert (refused.code, refused.out) == (1, "")
    assert "is there already" in refused.err
    assert "--force" in refused.err
    assert copy.file.read_text("utf-8") == "mine"
    assert copy.run("init", "--force").code == 0
    assert copy.is_valid()


def test_a_second_pipeline_is_written_only_under_a_name_that_was_said(copy: Copy) -> None:
    copy.put("index.html")
    copy.put(".windlass/blog/pipeline.yaml", "theirs")
    refused = copy.run("init", "--force")
    assert refused.code == 1
    assert "There is a pipeline already: blog." in refused.err
    assert copy.run("init", "--slug", "site").code == 0
    assert (copy.root / ".windlass/site/pipeline.yaml").exists()
    copy.put(".devramps/old/pipeline.yaml", "")
    clash = copy.run("init", "--slug", "old", "--force")
    assert clash.code == 1
    assert "defines a pipeline of that name" in clash.err


def test_printing_writes_nothing(copy: Copy) -> None:
    copy.put("index.html")
    ended = copy.run("init", "--print")
    assert (ended.code, ended.err) == (0, "")
    assert not (copy.root / ".windlass").exists()
    assert copy.run("init").code == 0
    assert copy.file.read_text("utf-8") == ended.out
    assert copy.run("init", "--print").out == ended.out


def test_one_folder_of_a_repository_is_proposed_from_the_repositorys_root(copy: Copy) -> None:
    copy.put("services/api/server.py", SERVER)
    copy.put("web/index.html")
    ended = copy.run("init", "services/api")
    assert "It deploys api here" in ended.out
    file = copy.root / ".windlass/api/pipeline.yaml"
    artifacts = yaml.safe_load(file.read_text("utf-8"))["pipeline"]["artifacts"]
    assert artifacts["api"]["params"]["file_path"] == "/services/api"
    assert list(artifacts) == ["api"]
    assert copy.is_valid()


def test_what_git_ignores_is_not_proposed_and_the_usual_branch_is_tracked(copy: Copy) -> None:
    copy.put(".gitignore", "old/\n")
    copy.put("old/index.html")
    copy.put("new/index.html")
    copy.git("checkout", "-q", "-b", "topic")
    assert "tracks: topic" in copy.run("init", "--print").out
    copy.git("add", ".")
    copy.git("-c", "user.name=a", "-c", "user.email=a@b.test", "commit", "-q", "-m", "x")
    copy.git("branch", "master")
    printed = copy.run("init", "--print").out
    assert "tracks: master" in printed
    assert "/old" not in printed


def test_a_folder_that_is_no_repository_of_gits_is_one_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Copy(tmp_path / "shop", capsys, monkeypatch)
    copy.put("index.html")
    assert copy.run("init", str(copy.root)).code == 0
    assert copy.file.exists()


def test_what_cannot_be_deployed_here_is_named_with_its_reason(copy: Copy) -> None:
    copy.put("api/server.py", SERVER)
    copy.put("job/Dockerfile", "FROM scratch\nCMD /job\n")
    ended = copy.run("init")
    assert "not deployed: job in job: how it is started is said for its container only" in ended.out
    assert copy.is_valid()


def test_containers_alone_get_a_pipeline_to_an_account_and_it_says_so(copy: Copy) -> None:
    copy.put("Dockerfile", "FROM scratch\nCMD /job\n")
    ended = copy.run("init")
    assert ended.code == 0
    assert "to Amazon ECS, once you have filled in the account" in ended.out
    assert "cannot carry it out" in ended.out
    assert copy.is_valid()


def test_nothing_to_deploy_leaves_a_frame_that_fails_when_it_is_run(copy: Copy) -> None:
    ended = copy.run("init")
    assert ended.code == 0
    assert "nothing was found that could be" in ended.out
    assert copy.is_valid()
    assert "exit 1" in copy.file.read_text("utf-8")


@pytest.mark.parametrize("slug", ["", "A", "-x", "../x", "a/b", "x" * 64, "ä", "a\nb"])
def test_what_cannot_name_a_pipeline_is_misuse(copy: Copy, slug: str) -> None:
    ended = copy.run("init", f"--slug={slug}")
    assert (ended.code, ended.out) == (2, "")
    assert "cannot name a pipeline" in ended.err
    assert not (copy.root / ".windlass").exists()


@pytest.mark.parametrize("path", ["none", "file", "x" * 5000, "file/below"])
def test_what_is_no_folder_is_misuse(copy: Copy, path: str) -> None:
    copy.put("file")
    ended = copy.run("init", path)
    assert (ended.code, ended.out) == (2, "")
    assert "is no folder" in ended.err


def link_the_folder(copy: Copy, outside: Path) -> None:
    (copy.root / ".windlass").symlink_to(outside)


def link_the_pipelines_folder(copy: Copy, outside: Path) -> None:
    (copy.root / ".windlass").mkdir()
    (copy.root / ".windlass/shop").symlink_to(outside)


def put_a_file_there(copy: Copy, outside: Path) -> None:
    (copy.root / ".windlass").write_text(str(outside))


def put_a_folder_there(copy: Copy, outside: Path) -> None:
    (copy.file / outside.name).mkdir(parents=True)


@pytest.mark.parametrize(
    "obstacle", [link_the_folder, link_the_pipelines_folder, put_a_file_there, put_a_folder_there]
)
def test_nothing_is_written_through_a_link_or_over_what_is_no_file(
    copy: Copy, obstacle: Callable[[Copy, Path], None]
) -> None:
    outside = copy.root.parent / "outside"
    outside.mkdir()
    copy.put("index.html")
    obstacle(copy, outside)
    ended = copy.run("init", "--force")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("windlass: ")
    assert list(outside.iterdir()) == []


def test_a_link_in_the_files_place_is_replaced_and_not_followed(copy: Copy) -> None:
    theirs = copy.root.parent / "theirs"
    theirs.write_text("theirs")
    copy.file.parent.mkdir(parents=True)
    copy.file.symlink_to(theirs)
    (copy.root / ".windlass/pipeline.schema.json").symlink_to(theirs)
    assert copy.run("init").code == 1
    assert copy.run("init", "--force").code == 0
    assert theirs.read_text() == "theirs"
    assert not copy.file.is_symlink()


def test_a_schema_of_somebody_elses_stays_and_one_of_ours_is_renewed(copy: Copy) -> None:
    place = copy.put(".windlass/pipeline.schema.json", '{"title": "mine"}')
    copy.run("init")
    assert place.read_text() == '{"title": "mine"}'
    place.write_text(schema.document("pipeline")[:600])
    copy.run("init", "--force")
    assert place.read_text("utf-8") == schema.document("pipeline")


def test_hostile_names_are_written_as_they_are_and_obeyed_nowhere(copy: Copy) -> None:
    for name in ('a"b', "c: d #e", "${{ x }}", "é'f", "-g"):
        copy.put(f"{name}/server.py", SERVER)
    copy.put("x\ny/server.py", SERVER)
    copy.put("z\x1b[2J/server.py", SERVER)
    ended = copy.run("init")
    assert ended.code == 0
    text = copy.file.read_text("utf-8")
    assert all(line.isprintable() for line in [*text.split("\n"), *ended.out.split("\n")])
    found = yaml.safe_load(text)["pipeline"]["artifacts"].values()
    paths = {each["params"]["file_path"].replace("$${{", "${{") for each in found}
    assert {'/a"b', "/c: d #e", "/é'f"} <= paths
    assert copy.is_valid()


def test_a_large_repository_with_broken_files_is_no_trouble(copy: Copy) -> None:
    copy.put("package.json", '{"scripts": {"start": ')
    copy.put("index.html")
    for folder in range(40):
        made = copy.root / f"data/{folder}"
        made.mkdir(parents=True)
        for number in range(500):
            os.mknod(made / f"{number}.txt")
    assert copy.run("init").code == 0
    assert copy.is_valid()


def test_what_the_command_says_of_itself_names_its_options(copy: Copy) -> None:
    ended = copy.run("init", "--help")
    assert ended.code == 0
    for option in ("--slug", "--print", "--force"):
        assert option in ended.out
