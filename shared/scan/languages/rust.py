"""Rust: `Cargo.toml`, alone or as a member of a workspace."""

from typing import Any

from shared.scan import source_port
from shared.scan.draft import Draft
from shared.scan.reading import table, word
from shared.scan.versions import learn_pin, learn_version
from shared.scan.view import Folder
from shared.scan.words import in_shell, port_default, quote

PORT = 8080
FRAMEWORKS = (("axum", 3000), ("actix-web", 8080), ("rocket", 8000), ("warp", 3030), ("poem", 3000),
              ("salvo", 5800), ("tide", 8080), ("leptos_axum", 3000), ("tonic", 50051),
              ("hyper", 3000))  # fmt: skip
MANIFEST = "Cargo.toml"


def detect(folder: Folder, home: Folder) -> Draft | None:
    """Return what `Cargo.toml` says; `home` is the root of the workspace it belongs to."""
    if not folder.has(MANIFEST):
        return None
    data = table(folder.toml(MANIFEST))
    name = word(data, "package", "name")
    draft = Draft(folder.path, name, folder.at(MANIFEST), commands_in=home.path)
    draft.learn(draft.file, language="rust", package_manager="cargo")
    _learn_version(draft, folder, home, data)
    needed = table(data, "dependencies")
    framework = next((each for each in FRAMEWORKS if each[0] in needed), None)
    if framework:
        draft.learn(draft.file, f"dependencies.{framework[0]}", framework=framework[0])
    if _is_page(draft, folder, needed):
        return draft
    program, file, at = _program(folder, data, name)
    if program:
        draft.serves = framework is not None
        lock = " --locked" if home.has("Cargo.lock") else ""
        package = f" --package {quote(name)}" if home.path != folder.path and name else ""
        build = f"cargo build --release{lock}{package} --bin {quote(program)}"
        draft.learn(file, at, build_commands=(build,))
        start = quote(f"./target/release/{program}")
        if draft.framework == "rocket":
            told = f'ROCKET_ADDRESS="${{HOST:-0.0.0.0}}" ROCKET_PORT={port_default(8000)}'
            draft.learn(file, at, assumed=True, port=8000, port_given="variable")
            start = in_shell(f"exec env {told} {start}")
        draft.learn(file, at, assumed=True, start_command=start)
        _learn_port(draft, folder, framework[1] if framework else PORT)
    return draft


def _program(folder: Folder, data: dict[str, Any], name: str) -> tuple[str, str, str]:
    """Return the program that is built, and which file says so."""
    programs = data.get("bin")
    named = (
        [word(each, "name") for each in programs if word(each, "name")] if isinstance(programs, list) else []
    )
    if named:
        default = word(data, "package", "default-run")
        return (default if default in named else named[0]), folder.at(MANIFEST), "bin"
    if folder.has("src/main.rs") and name:
        return name, folder.at("src/main.rs"), ""
    single = folder.down("src/bin").matching(r"[\w-]{1,100}\.rs")
    if single:
        return single[0].removesuffix(".rs"), folder.at(f"src/bin/{single[0]}"), ""
    return "", "", ""


def _is_page(draft: Draft, folder: Folder, needed: dict[str, Any]) -> bool:
    """Take in a program for the browser, which Trunk builds."""
    library = next((each for each in ("yew", "leptos", "dioxus", "sycamore") if each in needed), "")
    trunk = folder.has("Trunk.toml") or folder.has("index.html")
    if not library or not trunk or draft.framework:
        return False
    draft.learn(draft.file, f"dependencies.{library}", framework=library)
    draft.learn(trunk, static_hint="trunk", build_commands=("trunk build --release",))
    draft.suppose(trunk, output=folder.at("dist"))
    return True


def _learn_port(draft: Draft, folder: Folder, port: int) -> None:
    names = [name for name in ("src/main.rs",) if folder.has(name)]
    found = source_port.in_sources([(folder.at(name), folder.source(name)) for name in names])
    if found:
        draft.learn_port(found, usual=port)
    elif draft.serves:
        draft.suppose(draft.file, port=port, port_given="unknown")


def _learn_version(draft: Draft, folder: Folder, home: Folder, data: dict[str, Any]) -> None:
    for place in (folder, home):
        if place.has("rust-toolchain.toml"):
            channel = word(place.toml("rust-toolchain.toml"), "toolchain", "channel")
            learn_pin(draft, place.at("rust-toolchain.toml"), "toolchain.channel", channel or None)
        learn_version(draft, place, "rust", "rust-toolchain")
    learn_pin(draft, draft.file, "package.rust-version", word(data, "package", "rust-version") or None)
