"""Deno: `deno.json`."""

import re

from shared.scan import source_port
from shared.scan.draft import Draft
from shared.scan.reading import table, word, words
from shared.scan.versions import learn_version
from shared.scan.view import Folder
from shared.scan.words import quote

PORT = 8000
MANIFESTS = ("deno.json", "deno.jsonc")
_FRAMEWORKS = (("$fresh/", "fresh"), ("@fresh/core", "fresh"), ("fresh", "fresh"), ("@oak/oak", "oak"),
               ("oak", "oak"), ("hono", "hono"), ("@hono/hono", "hono"))  # fmt: skip
_ENTRIES = tuple(
    f"{folder}{stem}.{suffix}"
    for folder in ("", "src/")
    for stem in ("main", "server", "mod", "index", "app")
    for suffix in ("ts", "tsx", "js", "mjs")
)
_SERVES = re.compile(r"\bDeno\.serve\(|\bserve\(|\.listen\(|export default \{\s{0,20}fetch")


def detect(folder: Folder, home: Folder) -> Draft | None:
    """Return what `deno.json` says."""
    del home  # the tasks of a member are its own
    file = folder.has(*MANIFESTS)
    if not file:
        return None
    data = folder.json(file.rpartition("/")[2], lenient=True)
    draft = Draft(folder.path, word(data, "name").rpartition("/")[2], file, commands_in=folder.path)
    draft.learn(file, language="deno", package_manager="deno", install_commands=("deno install",))
    learn_version(draft, folder, "deno", ".deno-version")
    imports = table(data, "imports")
    found = next((each for each in _FRAMEWORKS if each[0] in imports), None)
    if found:
        draft.serves = True
        draft.learn(file, f"imports.{found[0]}", framework=found[1])
    tasks = {
        name: task if isinstance(task, str) else word(task, "command")
        for name, task in table(data, "tasks").items()
    }
    if tasks.get("build"):
        draft.learn(file, "tasks.build", build_commands=("deno task build",))
    if "lume/" in imports:
        draft.learn(file, "imports.lume/", framework="lume", static_hint="lume")
        draft.suppose(file, output=folder.at("_site"), build_commands=("deno task build",))
        return draft
    if tasks or imports or not folder.has("package.json"):  # beside one it may only configure tools
        _learn_start(draft, folder, tasks)
    return draft


def members(folder: Folder) -> list[str]:
    """Return the folders that a `deno.json` names as its workspace."""
    file = folder.has(*MANIFESTS)
    data = folder.json(file.rpartition("/")[2], lenient=True) if file else None
    return words(data, "workspace") or words(data, "workspace", "members")


def _learn_start(draft: Draft, folder: Folder, tasks: dict[str, str]) -> None:
    entry = folder.has(*_ENTRIES)
    name = entry[len(folder.path) + 1 :] if folder.path != "." else entry
    text = folder.source(name) if entry else ""
    serves = _SERVES.search(text)
    if serves:
        draft.serves = True
        draft.suppose(entry, f"line {text.count(chr(10), 0, serves.start()) + 1}", framework="deno")
    if tasks.get("start"):
        draft.learn(draft.file, "tasks.start", start_command="deno task start")
    elif entry and (serves or draft.framework):
        draft.suppose(entry, start_command=f"deno run --allow-net --allow-env --allow-read {quote(name)}")
    if not draft.start_command:
        return
    found = source_port.in_command(tasks.get("start", ""), draft.file, "tasks.start")
    found = found or (source_port.in_source(entry, text) if entry else None)
    if found:
        draft.learn_port(found, usual=PORT)
    elif draft.serves:
        draft.learn(draft.file, assumed=True, port=PORT, port_given="unknown")
