"""A project of an Nx workspace that has no `package.json` of its own."""

import re

from shared.scan.draft import Draft
from shared.scan.languages.node_package import MANIFEST, Package, learn_manager
from shared.scan.languages.node_start import learn_port
from shared.scan.reading import table, word
from shared.scan.view import Folder, resolve
from shared.scan.words import quote

FILE = "project.json"
_NAME = re.compile(r"@?[A-Za-z0-9][\w./-]{0,100}")
_PAGES = {"angular": "angular", "vite": "vite", "web": "vite", "webpack": "webpack", "rsbuild": "vite"}
_SERVERS = {"next": "next", "nest": "nest", "node": "node", "esbuild": "node", "js": "node", "remix": "remix"}


def detect(folder: Folder, home: Folder) -> Draft | None:
    """Return what `project.json` says; `home` is the workspace's root."""
    if not folder.has(FILE) or folder.has(MANIFEST) or not home.has("nx.json"):
        return None
    data = folder.json(FILE)
    name = word(data, "name") or folder.name
    draft = Draft(folder.path, name, folder.at(FILE), commands_in=home.path)
    draft.learn(draft.file, language="node")
    package = Package(home, home)
    manager = learn_manager(draft, package)
    draft.learn(manager.lock or home.at(MANIFEST), install_commands=(manager.install,))
    if word(data, "projectType") == "library" or not _NAME.fullmatch(name):
        return draft
    build = table(data, "targets", "build")
    executor = word(build, "executor")
    kind = executor.partition(":")[0].rpartition("/")[2]
    draft.learn(draft.file, "targets.build", build_commands=(manager.program(f"nx build {quote(name)}"),))
    output = resolve(home.path, word(build, "options", "outputPath") or f"dist/{folder.path}")
    is_page = kind in _PAGES and "node" not in word(build, "options", "target")
    if is_page and output:
        draft.learn(draft.file, f"targets.build.executor {executor}", framework=_PAGES[kind])
        draft.learn(draft.file, f"targets.build.executor {executor}", static_hint=_PAGES[kind], output=output)
    elif kind in _SERVERS or kind == "webpack":
        draft.serves = True
        draft.learn(draft.file, f"targets.build.executor {executor}", framework=_SERVERS.get(kind, "node"))
        start = f"next start {quote(output or '.')}" if kind == "next" else ""
        place = quote(f"{output or '.'}/main.js")
        line = manager.program(start) if start else manager.file("node", place)
        draft.learn(draft.file, "targets.build", assumed=True, start_command=line)
        learn_port(draft, Package(folder, home), "", None)
    return draft
