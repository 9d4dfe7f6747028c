"""How a JavaScript server is started, and where it listens."""

import re

from shared.scan import source_port
from shared.scan.draft import Draft
from shared.scan.languages.node_frameworks import BUILT_TOO, SERVERS, Server
from shared.scan.languages.node_package import Package, PackageTool
from shared.scan.reading import word
from shared.scan.view import relative

PORT = 3000
_ADAPTERS = {"@sveltejs/adapter-node": "build/index.js", "@astrojs/node": "dist/server/entry.mjs"}
_STARTS = ("start:prod", "start:production", "start", "serve:prod", "prod", "serve")
_ENTRIES = tuple(
    f"{folder}{stem}.{suffix}"
    for folder in ("", "src/")
    for stem in ("server", "index", "app", "main")
    for suffix in ("js", "mjs", "cjs", "ts")
)
_FOR_WORK = re.compile(
    r"(?:^|&&\s?|\s)(?:vite(?: dev| serve)?(?: --?\w[\w=. -]{0,100})?$|react-scripts start|ng s(?:erve)?\b"
    r"|astro dev|next dev|next$|nuxt(?: dev)?$|vue-cli-service serve|gatsby develop|docusaurus start"
    r"|webpack(?:-dev-server| serve)|parcel (?!build)|vitepress dev|eleventy .{0,60}--serve|hexo server"
    r"|ember serve|remix dev|react-router dev"
    r"|nx |concurrently |lerna |pnpm (?:-r|--filter|--recursive) |turbo (?:run )?(?:dev|start)"
    r"|rollup .{0,60}(?:-w\b|--watch))"
)
_WATCHING = re.compile(
    r"\b(?:nodemon|ts-node-dev|tsx watch|nest start --watch|bun --(?:watch|hot)|--watch)\b"
)
_SERVES = re.compile(r"\b(?:Bun\.serve|createServer)\(")
_LOOKING = re.compile(r"\b(vite|astro|vitepress|gatsby|docusaurus|svelte-kit)\s+(?:preview|serve)\b")
_NODE_FILE = re.compile(
    r"\b(?:node|tsx|ts-node|bun|nodemon)(?:\s+(?:run|watch|-{1,2}[\w=./:-]+))*\s+([\w./-]{1,100}\.[cm]?[jt]s)\b"
)


def server_of(package: Package) -> Server | None:
    """Return the framework that answers requests, if there is one."""
    for server in SERVERS:
        needed = package.builds_with if server.dependency in BUILT_TOO else package.needs
        if server.dependency in needed:
            return server
    return None


def learn_server(draft: Draft, package: Package, manager: PackageTool, server: Server | None) -> None:
    """Take in framework, start command and port of what may be a server."""
    if server:
        draft.serves = True
        draft.learn(package.file, package.where(server.dependency), framework=server.name)
        if server.build:
            at = package.where(server.dependency)
            draft.suppose(package.file, at, build_commands=(manager.program(server.build),))
    script = start_script(draft, package, is_page=False)
    if script:
        draft.learn(package.file, f"scripts.{script}", start_command=manager.script(script))
    elif server:
        _suppose_start(draft, package, manager, server)
    if not draft.start_command:
        _learn_entry(draft, package, manager, server)
    if draft.start_command or server:
        learn_port(draft, package, script, server)


def start_script(draft: Draft, package: Package, *, is_page: bool) -> str:
    """Return the script that starts the package for its users; warn of one that is for work on it."""
    for name in _STARTS:
        line = package.scripts.get(name, "").strip()
        looking = _LOOKING.search(line)
        if looking and name.startswith("start"):
            message = f'scripts.{name} of {package.file} is "{looking[0]}", which is for looking at a build'
            rule = f"{looking[1]}-preview"
            draft.warn(rule, message, "publish the folder it was built into", package.file)
        elif looking:
            continue
        elif _FOR_WORK.search(line):
            if name.startswith("start") and not is_page:
                message = f"scripts.{name} of {package.file} is for working on it, not for its users"
                draft.warn("development-server", message, "name what starts the built program", package.file)
        elif line and not (is_page and name == "serve"):
            _warn_of_watching(draft, package, name, line)
            return name
    return ""


def learn_port(draft: Draft, package: Package, script: str, server: Server | None) -> None:
    """Take in the port: of the script, the framework, the program's source, or else the custom."""
    line = package.scripts.get(script, "")
    found = source_port.in_command(line, package.file, f"scripts.{script}") if script else None
    custom = server.port if server else PORT
    reader = _reader(package, server)
    if found is None and reader:
        at = package.where(reader)
        draft.learn(package.file, at, assumed=True, port=custom, port_given="variable")
        return
    found = found or source_port.in_sources(_sources(package, line))
    if found:
        draft.learn_port(found, usual=custom)
    else:
        draft.suppose(package.file, port=custom, port_given="unknown")


def _reader(package: Package, server: Server | None) -> str:
    """Return the dependency that reads PORT by itself."""
    if server and server.reads_port:
        return server.dependency
    return next((each for each in _ADAPTERS if each in package.builds_with), "")


def _warn_of_watching(draft: Draft, package: Package, name: str, line: str) -> None:
    if _WATCHING.search(line):
        message = f"scripts.{name} of {package.file} restarts the program whenever a file changes"
        draft.warn("development-server", message, "start it with node", package.file)


def _suppose_start(draft: Draft, package: Package, manager: PackageTool, server: Server) -> None:
    at = package.where(server.dependency)
    if server.start:
        draft.suppose(package.file, at, start_command=manager.program(server.start))
    elif server.file:
        draft.suppose(package.file, at, start_command=manager.file("node", server.file))
    for adapter, file in _ADAPTERS.items():
        if adapter in package.builds_with and not draft.start_command:
            start = manager.file("node", file)
            draft.suppose(package.file, package.where(adapter), start_command=start)


def _learn_entry(draft: Draft, package: Package, manager: PackageTool, server: Server | None) -> None:
    """Take in the file that is run, for a package that says no start script."""
    main = word(package.data, "main").removeprefix("./")
    bun = manager.tool == "bun"
    if main and package.folder.has(main) and (server or not _is_library(package)):
        draft.learn(package.file, "main", start_command=manager.file("bun" if bun else "node", main))
    elif server is None or server.dependency not in BUILT_TOO:
        entry = package.folder.has(*_ENTRIES)
        name = relative(package.folder.path, entry) if entry else ""
        serves = _SERVES.search(package.folder.source(name)) if entry else None
        if serves and server is None:
            draft.serves = True
            line = package.folder.source(name).count("\n", 0, serves.start()) + 1
            framework = "bun" if serves[0].startswith("Bun") else "node:http"
            draft.learn(entry, f"line {line}", framework=framework)
        if entry and draft.serves and (bun or not name.endswith(".ts")):
            draft.suppose(entry, start_command=manager.file("bun" if bun else "node", name))


def _is_library(package: Package) -> bool:
    """Tell a package whose `main` is there to be imported."""
    keys = ("bin", "exports", "files", "module", "peerDependencies", "publishConfig", "types")
    return any(package.data.get(key) for key in keys) if isinstance(package.data, dict) else True


def _sources(package: Package, line: str) -> list[tuple[str, str]]:
    """Return the program's first files, as far as they can be guessed."""
    named = _NODE_FILE.search(line)
    main = word(package.data, "main")
    wanted = [named[1] if named else "", main.removeprefix("./"), *_ENTRIES]
    found = dict.fromkeys(name for name in wanted if name and package.folder.has(name))
    return [(package.folder.at(name), package.folder.source(name)) for name in list(found)[:3]]
