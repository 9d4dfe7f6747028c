"""Dockerfiles: which one counts, where it listens, what it starts."""

import json
import re
import shlex

from shared.scan.draft import Draft
from shared.scan.view import Folder, shown
from shared.scan.words import start_words

LINES_MAX = 2_000
_NAMES = r"Dockerfile|Containerfile|(?:Docker|Container)file\.[\w.-]{1,60}|[\w.-]{1,60}\.Dockerfile"
_FOR_WORK = re.compile(r"dev|test|local|debug|\bci\b|lint|e2e|playwright|cypress|storybook", re.IGNORECASE)
_FOR_USE = re.compile(r"prod|release", re.IGNORECASE)
_IMAGES = (
    ("node", "node"), ("python", "python"), ("golang", "go"), ("rust", "rust"), ("ruby", "ruby"),
    ("php", "php"), ("openjdk", "java"), ("eclipse-temurin", "java"), ("amazoncorretto", "java"),
    ("maven", "java"), ("gradle", "java"), ("elixir", "elixir"), ("deno", "deno"), ("bun", "bun"),
    ("aspnet", "dotnet"), ("sdk", "dotnet"),
)  # fmt: skip
# Folders that hold a Dockerfile for the program above them.
ASIDE = frozenset(
    {"ci", "container", "containers", "deploy", "deployment", "docker", "dockerfiles", "infra", "ops"}
)


def find(folder: Folder) -> str:
    """Return the name of the folder's Dockerfile: the plain one, one for production, or any other."""
    names = folder.matching(_NAMES)

    def order(name: str) -> tuple[bool, bool, bool, str]:
        plain = name in {"Dockerfile", "Containerfile"}
        return not plain, not _FOR_USE.search(name), is_for_work(name), name

    return min(names, key=order, default="")


def is_for_work(name: str) -> bool:
    """Tell a Dockerfile for the work on a program by its name."""
    return bool(_FOR_WORK.search(name)) and not _FOR_USE.search(name)


def learn_dockerfile(draft: Draft, folder: Folder, name: str) -> None:
    """Take in a Dockerfile, and what it says of a program that nothing else speaks for."""
    file = folder.at(name)
    draft.learn(file, dockerfile=file)
    draft.learn(file, assumed=True, docker_context=draft.root)
    others = [each for each in folder.matching(_NAMES) if each != name]
    if others:
        message = f"{file} is used; there are also {', '.join(folder.at(each) for each in others)}"
        draft.note("several-dockerfiles", message, file=file)
    exposed = False
    for number, word, rest in _instructions(folder.text(name)):
        at = f"line {number}, {word}"
        if word == "FROM":
            _learn_language(draft, file, at, rest)
        elif word == "EXPOSE" and not exposed:
            exposed = _learn_port(draft, file, at, rest)
        elif word in {"CMD", "ENTRYPOINT"}:
            _learn_start(draft, file, at, rest)


def command_line(value: object) -> str:
    """Return a command, as a text or a list of words, as one line of words."""
    if isinstance(value, list):
        return shlex.join(each for each in value if isinstance(each, str))
    return start_words(value) if isinstance(value, str) else ""


def _instructions(text: str) -> list[tuple[int, str, str]]:
    """Return the instructions with their lines; continued lines are put together."""
    found: list[tuple[int, str, str]] = []
    kept: list[str] = []
    begun = 0
    for number, line in enumerate(text.splitlines()[:LINES_MAX], 1):
        if line.lstrip().startswith("#"):
            continue
        begun = begun if kept else number
        kept.append(line.rstrip().removesuffix("\\"))
        if not line.rstrip().endswith("\\"):
            word, _, rest = " ".join(kept).strip().partition(" ")
            found.append((begun, word.upper(), rest.strip()))
            kept = []
    return found


def _learn_language(draft: Draft, file: str, at: str, image: str) -> None:
    last = image.lower().split(" as ")[0].strip().rpartition("/")[2].partition(":")[0]
    language = next((language for name, language in _IMAGES if last == name), "")
    if language and draft.language == "unknown":
        draft.learn(file, at, assumed=True, language=language)


def _learn_port(draft: Draft, file: str, at: str, ports: str) -> bool:
    """Take in where the container listens; tell whether that is said in plain figures."""
    number = re.match(r"[\"']?([1-9][0-9]{1,4})\b", ports)
    if number is None or int(number[1]) > 65_535:
        return False
    draft.learn(file, at, port=int(number[1]))
    if not draft.port_given:
        draft.learn(file, at, assumed=True, port_given="fixed")
    return True


def _learn_start(draft: Draft, file: str, at: str, text: str) -> None:
    try:
        value = json.loads(text) if text.startswith("[") else text
    except (ValueError, RecursionError):
        value = ""
    line = command_line(value)
    if draft.start_command and not draft.container_start:
        _compare_start(draft, file, at, line)
        return
    entry = (
        draft.start_command
        if draft.container_start and "ENTRYPOINT" in draft.evidence["start_command"].at
        else ""
    )
    if line and "CMD" in at and entry:
        line = f"{entry} {line}"
    if line:
        draft.container_start = True
        draft.learn(file, at, start_command=line)


def _compare_start(draft: Draft, file: str, at: str, line: str) -> None:
    """Tell of a container that is started in another way than is the custom outside of one."""
    custom = draft.evidence["start_command"]
    if line and custom.assumed and line != draft.start_command:
        message = (
            f"{file}: {at} starts the container with {shown(line)}; proposed is the custom of {custom.file}"
        )
        draft.note("container-start", message, "a Procfile says what to start: web: COMMAND", file=file)
