"""Elixir: `mix.exs`."""

import re

from shared.scan import source_port
from shared.scan.draft import Draft
from shared.scan.versions import learn_pin, learn_version
from shared.scan.view import Folder

_APP = re.compile(r"\bapp:\s{0,4}:(\w{1,100})")
_VERSION = re.compile(r"""\belixir:\s{0,4}"([^"\n]{1,40})\"""")
_DEPENDENCY = re.compile(r"\{:(\w{1,100}),")
_RELEASE = re.compile(r"\breleases:\s{0,4}\[\s{0,40}(\w{1,100}):")
FRAMEWORKS = (("phoenix", 4000), ("bandit", 4000), ("plug_cowboy", 4000), ("cowboy", 4000))


def detect(folder: Folder, home: Folder) -> Draft | None:
    """Return what `mix.exs` says."""
    del home  # an umbrella is built as one
    file = folder.has("mix.exs")
    if not file:
        return None
    text = folder.source("mix.exs")
    app, release = _APP.search(text), _RELEASE.search(text)
    name = release[1] if release else app[1] if app else ""
    draft = Draft(folder.path, name, file, commands_in=folder.path)
    draft.learn(file, language="elixir", package_manager="mix")
    install = ("mix local.hex --force", "mix local.rebar --force", "mix deps.get --only prod")
    draft.learn(file, install_commands=install)
    learn_version(draft, folder, "elixir", ".elixir-version")
    pinned = _VERSION.search(text)
    learn_pin(draft, file, "elixir", pinned[1] if pinned else None)
    _learn_framework(draft, folder, text, name)
    return draft


def _learn_framework(draft: Draft, folder: Folder, text: str, name: str) -> None:
    needed = set(_DEPENDENCY.findall(text))
    framework = next((each for each in FRAMEWORKS if each[0] in needed), None)
    is_umbrella = "apps_path:" in text
    if not framework and not (is_umbrella and name):
        return
    draft.serves = True
    if framework:
        draft.learn(draft.file, f"deps.{framework[0]}", framework=framework[0])
    build: tuple[str, ...] = ("MIX_ENV=prod mix compile",)
    if "assets.deploy" in text:
        build = (*build, "MIX_ENV=prod mix assets.deploy")
    draft.learn(draft.file, build_commands=(*build, "MIX_ENV=prod mix release --overwrite"))
    if name:
        program = f"_build/prod/rel/{name}/bin/{name} start"
        start = f"env PHX_SERVER=true {program}" if draft.framework == "phoenix" else program
        draft.learn(draft.file, "app", assumed=True, start_command=start)
    file = folder.has("config/runtime.exs", "config/prod.exs")
    found = source_port.in_source(file, folder.view.text(file)) if file else None
    if found:
        draft.learn_port(found, usual=4000)
    draft.suppose(draft.file, port=4000, port_given="variable" if draft.framework == "phoenix" else "unknown")
