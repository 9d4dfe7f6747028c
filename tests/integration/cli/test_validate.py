"""`windlass validate`, as a person, a hook or a machine runs it."""

import json
import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from services.cli.app import main

ROOT = Path(__file__).resolve().parents[3]
WINDLASS = [sys.executable, "-m", "services.cli"]
HOOK = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())[0]
RIGHT = """\
version: "1"
pipeline:
  name: Shop
  stages:
    - name: staging
  steps:
    - name: Hello
      type: SCRIPT:EXECUTE
      params: {commands: echo hello}
"""
WRONG = RIGHT.replace("name: staging", "nam: staging")


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

    def put(self, path: str, text: str | bytes = RIGHT) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def validate(self, *words: str, command: str = "validate") -> Ended:
        self.monkeypatch.setattr(sys, "argv", ["windlass", command, *words])
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        printed = self.capsys.readouterr()
        return Ended(int(end.value.code or 0), printed.out, printed.err)


@pytest.fixture
def copy(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Copy:
    root = tmp_path / "shop"
    (root / ".git").mkdir(parents=True)
    monkeypatch.chdir(root)
    return Copy(root, capsys, monkeypatch)


def process(folder: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [*WINDLASS, *words], cwd=folder, env=env, capture_output=True, check=False, timeout=50
    )


def test_a_repository_whose_pipelines_are_right_is_valid(copy: Copy) -> None:
    copy.put(".windlass/shop/pipeline.yaml")
    copy.put(".windlass/blog/pipeline.yaml")
    assert copy.validate() == Ended(0, "2 files are valid: blog, shop\n", "")


def test_every_problem_of_every_file_is_told_with_its_place(copy: Copy) -> None:
    copy.put(".windlass/shop/pipeline.yaml", WRONG)
    copy.put(".windlass/blog/pipeline.yml")
    ended = copy.validate()
    assert ended.code == 1
    assert ".windlass/shop/pipeline.yaml:5:7: error[unknown-key]: " in ended.out
    assert "  5 |     - nam: staging\n    |       ^^^\n" in ended.out
    assert 'did you mean "name"?' in ended.out
    assert '.windlass/blog/pipeline.yml: error[location]: "pipeline.yml" is not read' in ended.out
    assert re.search(r"\n\d+ problems in 2 files\n$", ended.out)


def test_a_file_of_devramps_is_read_as_such(copy: Copy) -> None:
    copy.put(".devramps/shop/pipeline.yaml", RIGHT)
    copy.put(".windlass/blog/pipeline.yaml", RIGHT)
    found = {file["pipeline"]: file for file in json.loads(copy.validate("--json").out)["files"]}
    assert found["blog"]["valid"]
    assert "missing-key" in {problem["rule"] for problem in found["shop"]["problems"]}


def test_what_an_artifact_depends_on_is_looked_for(copy: Copy) -> None:
    artifacts = """\
  artifacts:
    Web:
      id: web
      type: BUNDLE:BUILD
      rebuild_when_changed: [/app]
      params: {build_commands: make, file_path: /dist}
"""
    copy.put(".windlass/shop/pipeline.yaml", RIGHT.replace("  stages:", f"{artifacts}  stages:"))
    told = copy.validate()
    assert "warning[path]: nothing that this artifact depends on is there: it would never" in told.out
    assert "rebuilt, and a push without it is refused\n" in told.out
    assert told.code == 0
    copy.put("app/main.py", "")
    assert "nothing that this artifact depends on" not in copy.validate().out


def test_paths_are_shown_from_where_one_stands(copy: Copy) -> None:
    copy.put(".windlass/shop/pipeline.yaml", WRONG)
    copy.put("src/x")
    copy.monkeypatch.chdir(copy.root / "src")
    assert copy.validate().out.startswith("../.windlass/shop/pipeline.yaml:5:7: ")
    assert json.loads(copy.validate("--json").out)["files"][0]["file"] == ".windlass/shop/pipeline.yaml"
    copy.monkeypatch.chdir(copy.root.parent)
    assert copy.validate("shop").out.startswith("shop/.windlass/shop/pipeline.yaml:5:7: ")
    (copy.root.parent / "else").mkdir()
    copy.monkeypatch.chdir(copy.root.parent / "else")
    assert copy.validate("../shop").out.startswith(f"{copy.root}/.windlass/shop/pipeline.yaml:5:7: ")


def test_the_two_ways_in_end_alike(copy: Copy) -> None:
    copy.put(".windlass/shop/pipeline.yaml", WRONG)
    copy.put(".windlass/blog/pipeline.yaml")
    for words in (
        [],
        ["--json"],
        ["--sarif"],
        ["--strict"],
        [".windlass/blog"],
        ["none"],
        ["--json", "--sarif"],
    ):
        assert copy.validate(*words) == copy.validate(*words, "--"), words


def test_reading_the_words_goes_the_usual_way_where_they_are_not_plain(copy: Copy) -> None:
    copy.put(".windlass/shop/pipeline.yaml")
    assert "Usage: windlass validate" in copy.validate("--help").out
    wrong = copy.validate("--jsn")
    assert (wrong.code, wrong.out) == (2, "")
    assert "No such option: --jsn" in wrong.err
    assert copy.validate(".windlass", command="validat").code == 2


def test_json_and_sarif_are_single_documents(copy: Copy) -> None:
    copy.put(".windlass/shop/pipeline.yaml", WRONG)
    told, log = copy.validate("--json"), copy.validate("--sarif")
    assert (told.code, told.err, log.code, log.err) == (1, "", 1, "")
    (file,) = json.loads(told.out)["files"]
    results = json.loads(log.out)["runs"][0]["results"]
    assert [(each["rule"], each["line"]) for each in file["problems"]] == [
        (each["ruleId"], max(each["locations"][0]["physicalLocation"]["region"]["startLine"], 0))
        for each in results
    ]
    copy.put(".windlass/shop/pipeline.yaml")
    assert json.loads(copy.validate("--sarif").out)["runs"][0]["results"] == []


def test_nothing_to_check_is_misuse_and_the_way_out_is_told(copy: Copy) -> None:
    for words in ([], ["--json"], ["none"], ["/none"], ["n" * 5000]):
        ended = copy.validate(*words)
        assert (ended.code, ended.out) == (2, ""), words
        assert ended.err.startswith("windlass: "), words
    assert "windlass init" in copy.validate().err
    both = copy.validate("--json", "--sarif")
    assert (both.code, both.out) == (2, "")


def test_warnings_count_when_it_is_strict(copy: Copy) -> None:
    copy.put(".windlass/shop/pipeline.yaml")
    copy.put(".windlass/shop/pipeline.yml")
    assert copy.validate().code == 0
    assert "(1 warning)" in copy.validate().out
    assert copy.validate("--strict").code == 1
    assert "--strict takes none" in copy.validate("--strict").out


NOISES = {
    "empty": b"",
    "not text": b"\xff\xfe\x00name",
    "terminal": b"a: \x1b]0;owned\x07\x1b[2J\n",
    "bidi": "a: \u202e\u2066x\n".encode(),
    "large": b"#" * 10_000_000,
    "one line": b"a: [" + b"x, " * 80_000 + b"]",
    "deep": b"[" * 100_000,
    "bomb": b"a: &a [1]\n" + b"".join(b"%c: &%c [*%c,*%c]\n" % (n + 1, n + 1, n, n) for n in range(97, 121)),
    "colons": b": : :\n" * 1000,
    "carriage": b"a: b\rc: \x1b[31m\r\n",
}


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_no_content_is_obeyed_or_ends_in_a_traceback(copy: Copy, noise: bytes) -> None:
    copy.put(".windlass/shop/pipeline.yaml", noise)
    for form in ("--strict", "--json", "--sarif"):
        ended = copy.validate(form)
        assert (ended.code, ended.err) == (1, "")
        assert all(line.isprintable() for line in ended.out.split("\n"))
        assert len(ended.out) < 100_000


def test_no_name_is_obeyed_or_ends_in_a_traceback(copy: Copy) -> None:
    evil = os.fsdecode(b".windlass/\x1b[2J\n\xff\xe2\x80\xae/pipeline.yaml")
    copy.put(evil, WRONG)
    copy.put(".windlass/\x1b[31m\n/pipeline.yml")
    for words in ([], ["--json"], ["--sarif"], [evil], [os.fsdecode(b"none\x1b[2J\xff")]):
        ended = copy.validate(*words)
        assert ended.code in {1, 2}
        assert all(line.isprintable() for line in f"{ended.out}{ended.err}".split("\n")), words
    uri = json.loads(copy.validate("--sarif", evil).out)["runs"][0]["results"][0]["locations"][0]
    assert "%1B%5B2J%0A%FF%E2%80%AE" in uri["physicalLocation"]["artifactLocation"]["uri"]


def test_what_is_no_file_is_said_to_be_none_and_not_waited_for(copy: Copy) -> None:
    copy.put(".windlass/shop/pipeline.yaml")
    os.mkfifo(copy.root / "pipe")
    (copy.root / "circle").symlink_to("circle")
    (copy.root / ".windlass/shop/again").symlink_to("..")
    (copy.root / ".windlass/dir/pipeline.yaml").mkdir(parents=True)
    for name, said in (("pipe", "not a file"), ("circle", "cannot be read"), ("/dev/null", "not a file")):
        ended = copy.validate(name)
        assert (ended.code, ended.err) == (1, "")
        assert "error[location]: " in ended.out
        assert said in ended.out
    assert "this is a folder, not a file" in copy.validate().out


def test_the_folder_one_stood_in_may_be_gone(copy: Copy) -> None:
    gone = copy.root.parent / "gone"
    gone.mkdir()
    copy.monkeypatch.chdir(gone)
    gone.rmdir()
    ended = copy.validate()
    assert (ended.code, ended.out) == (2, "")
    assert "folder is gone" in ended.err
    copy.monkeypatch.chdir(copy.root)


def test_as_a_process_it_says_the_same_whatever_the_terminal_can_show(copy: Copy) -> None:
    copy.put(
        ".windlass/shop/pipeline.yaml", RIGHT.replace("Shop", "日本 ßhop…").replace("name: staging", "nam: ß")
    )
    plain = process(copy.root, "validate", PYTHONIOENCODING="ascii")
    assert (plain.returncode, plain.stderr) == (1, b"")
    assert b"nam: \\xdf" in plain.stdout
    assert plain.stdout.isascii()
    spoken = process(copy.root, "validate", PYTHONIOENCODING="utf-8")
    assert "nam: ß" in spoken.stdout.decode()
    assert b"\x1b" not in spoken.stdout


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colours_are_for_terminals_that_want_them(
    copy: Copy, environment: dict[str, str], coloured: bool
) -> None:
    copy.put(".windlass/shop/pipeline.yaml", WRONG)
    ours, theirs = pty.openpty()
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm", **environment}
    subprocess.run([*WINDLASS, "validate"], cwd=copy.root, env=env, stdout=theirs, check=False, timeout=50)
    os.close(theirs)
    shown = os.read(ours, 100_000)
    os.close(ours)
    assert b"unknown-key" in shown
    assert (b"\x1b[" in shown) is coloured


def test_whoever_stops_listening_is_not_shouted_at(copy: Copy) -> None:
    copy.put(".windlass/shop/pipeline.yaml", WRONG)
    reading, writing = os.pipe()
    os.close(reading)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [*WINDLASS, "validate"],
        cwd=copy.root,
        env=env,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        timeout=50,
    )
    os.close(writing)
    assert b"Traceback" not in ended.stderr


HOOKED = [
    (".windlass/shop/pipeline.yaml", True),
    (".devramps/shop/pipeline.yaml", True),
    (".windlass/shop/pipeline.yml", True),
    (".windlass/shop/Pipeline.YAML", True),
    (".windlass/pipelines.yaml", True),
    (".windlass/windlass.yaml", True),
    (".windlass/shop/notes.yaml", False),
    (".devramps/shop/aws_additional_iam_policies.yaml", False),
    (".windlass/shop/deep/pipeline.yaml", False),
    ("examples/.windlass/shop/pipeline.yaml", False),
    ("pipeline.yaml", False),
]


@pytest.mark.parametrize(("path", "meant"), HOOKED)
def test_the_hook_is_for_pipeline_files_and_what_nearly_is_one(path: str, meant: bool) -> None:
    assert bool(re.search(HOOK["files"], path)) is meant


def test_the_hook_runs_the_command_with_the_names_of_files(copy: Copy) -> None:
    copy.put(".windlass/shop/pipeline.yaml")
    copy.put(".windlass/blog/pipeline.yaml", WRONG)
    program, *words = HOOK["entry"].split()
    assert program == "windlass"
    assert HOOK["language"] == "python"
    right = process(copy.root, *words, ".windlass/shop/pipeline.yaml")
    assert (right.returncode, right.stdout) == (0, b"1 file is valid: shop\n")
    both = process(copy.root, *words, ".windlass/blog/pipeline.yaml", ".windlass/shop/pipeline.yaml")
    assert both.returncode == 1
    assert b".windlass/blog/pipeline.yaml:5:7" in both.stdout
