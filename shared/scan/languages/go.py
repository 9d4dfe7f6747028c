"""Go: `go.mod`, its commands, and members of a `go.work`."""

import re

from shared.scan import source_port
from shared.scan.draft import Draft
from shared.scan.versions import learn_pin, learn_version
from shared.scan.view import Folder, relative
from shared.scan.words import quote

PORT = 8080
FRAMEWORKS = (
    ("github.com/gin-gonic/gin", "gin"), ("github.com/labstack/echo", "echo"),
    ("github.com/gofiber/fiber", "fiber"), ("github.com/go-chi/chi", "chi"),
    ("github.com/gorilla/mux", "gorilla"), ("github.com/beego/beego", "beego"),
    ("github.com/julienschmidt/httprouter", "httprouter"), ("connectrpc.com/connect", "connect"),
    ("google.golang.org/grpc", "grpc"),
)  # fmt: skip
_MODULE = re.compile(r"^module[ \t]+\"?([\w./~-]{1,200})", re.MULTILINE)
_VERSION = re.compile(r"^go[ \t]+([0-9][\w.]{0,20})", re.MULTILINE)
_MAIN = re.compile(r"^package main\b", re.MULTILINE)
_SERVES = re.compile(
    r"\bhttp\.(?:ListenAndServe|Serve|Server\{)|\bnet\.Listen\(|\.Run\(|\.Listen\(|\.Start\("
)
_FIRST = ("server", "api", "web", "http", "app", "gateway", "backend", "frontend", "main", "serve")
_MAJOR = re.compile(r"v[0-9]{1,3}")
COMMANDS_MAX = 20


def detect(folder: Folder, home: Folder) -> Draft | None:
    """Return what `go.mod` and the commands say; `home` is the folder of the `go.work`."""
    file = folder.has("go.mod") or folder.has("main.go")
    if not file:
        return None
    text = folder.text("go.mod")
    draft = Draft(folder.path, _module_name(text), file, commands_in=home.path)
    draft.has_manifest = bool(folder.has("go.mod"))
    draft.learn(file, language="go")
    if folder.has("go.mod"):
        draft.learn(file, package_manager="go", install_commands=("go mod download",))
    learn_version(draft, folder, "go", ".go-version")
    pinned = _VERSION.search(text)
    learn_pin(draft, file, "go", pinned[1] if pinned else None)
    for path, name in FRAMEWORKS:
        place = text.find(path)
        if place >= 0 and not text[:place].endswith("module "):
            draft.learn(file, f"line {text.count(chr(10), 0, place) + 1}", framework=name)
            break
    _learn_command(draft, folder)
    return draft


def _learn_command(draft: Draft, folder: Folder) -> None:
    commands = _commands(folder, draft.name)
    if not commands:
        return
    chosen, path, text = commands[0]
    serves = _SERVES.search(text)
    if serves and not draft.framework:
        draft.learn(path, f"line {text.count(chr(10), 0, serves.start()) + 1}", framework="net/http")
    draft.serves = bool(draft.framework)
    name = chosen.rpartition("/")[2] if chosen != "." else draft.name or folder.name or "app"
    package = relative(draft.commands_in, folder.at(chosen))
    output = "bin/" + name
    build = f"go build -o {quote(output)} {quote(package if package == '.' else f'./{package}')}"
    draft.learn(path, "package main", build_commands=(build,))
    draft.learn(path, "package main", assumed=True, start_command=quote(f"./{output}"))
    found = source_port.in_source(path, text)
    if found:
        draft.learn_port(found, usual=PORT)
    elif draft.serves:
        draft.learn(path, assumed=True, port=PORT, port_given="unknown")
    others = [each.rpartition("/")[2] for each, _, _ in commands[1:]]
    if others:
        message = f"{draft.file} has further commands: {', '.join(others)}"
        draft.note("other-commands", message, "only the one that serves is proposed")


def _commands(folder: Folder, name: str) -> list[tuple[str, str, str]]:
    """Return the main packages as folder, file and text; what most likely serves comes first."""
    places = [folder, *folder.down("cmd").children()[:COMMANDS_MAX]]
    found = []
    for place in places:
        for file in ["main.go", *(each for each in place.matching(r".*\.go") if each != "main.go")][:4]:
            text = place.source(file) if place.has(file) else ""
            if _MAIN.search(text) and "func main(" in text:
                found.append((relative(folder.path, place.path), place.at(file), text))
                break
    wanted = (*_FIRST, name)

    def order(command: tuple[str, str, str]) -> tuple[bool, bool, int, str]:
        last = command[0].rpartition("/")[2]
        return (
            command[0] != ".",
            not _SERVES.search(command[2]),
            wanted.index(last) if last in wanted else len(wanted),
            last,
        )

    return sorted(found, key=order)


def _module_name(text: str) -> str:
    found = _MODULE.search(text)
    parts = [part for part in found[1].split("/") if not _MAJOR.fullmatch(part)] if found else []
    return parts[-1] if parts else ""
