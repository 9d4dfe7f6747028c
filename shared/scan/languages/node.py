"""JavaScript and TypeScript on Node.js or Bun: `package.json`."""

from shared.scan.draft import Draft
from shared.scan.languages.node_frameworks import DESKTOP, MOBILE, PAGES
from shared.scan.languages.node_package import MANIFEST, Package, PackageTool, learn_manager
from shared.scan.languages.node_site import config, learn_page, learn_site
from shared.scan.languages.node_start import learn_port, learn_server, server_of, start_script
from shared.scan.reading import table
from shared.scan.versions import learn_pin, learn_version
from shared.scan.view import Folder


def detect(folder: Folder, home: Folder) -> Draft | None:
    """Return what `package.json` says; `home` is the root of the workspace it belongs to."""
    if not folder.has(MANIFEST):
        return None
    package = Package(folder, home)
    draft = Draft(folder.path, package.name.rpartition("/")[2], package.file, commands_in=home.path)
    draft.learn(package.file, language="node")
    draft.no_service = _no_service(package)
    draft.programs = "node_modules/.bin"
    manager = learn_manager(draft, package)
    draft.learn(manager.lock or package.file, install_commands=(manager.install,))
    if "build" in package.scripts:
        draft.learn(package.file, "scripts.build", build_commands=(manager.build("build"),))
    _learn_kind(draft, package, manager)
    _learn_runtime(draft, package, manager)
    return draft


def learn_assets(draft: Draft, folder: Folder) -> None:
    """Have a program in another language build the pages that a `package.json` beside it builds."""
    package = Package(folder, folder)
    if not folder.has(MANIFEST) or "build" not in package.scripts:
        return
    beside = Draft(folder.path, file=package.file)
    manager = learn_manager(beside, package)
    install = (*draft.install_commands, manager.install)
    build = (manager.script("build"), *draft.build_commands)
    if folder.path != draft.commands_in:
        return
    draft.learn(package.file, "scripts.build", install_commands=install, build_commands=build)


def _learn_kind(draft: Draft, package: Package, manager: PackageTool) -> None:
    server = server_of(package)
    if learn_site(draft, package, manager):
        start_script(draft, package, is_page=True)  # for its warnings: pages are published, not started
        return
    if server is None and learn_page(draft, package, manager):
        script = start_script(draft, package, is_page=True)
        if script:
            draft.learn(package.file, f"scripts.{script}", start_command=manager.script(script))
            learn_port(draft, package, script, None)
        return
    learn_server(draft, package, manager, server)
    _note_pages(draft, package)


def _note_pages(draft: Draft, package: Package) -> None:
    if draft.framework == "next":
        message = f"{package.file}: Next.js runs as a server here"
        draft.note("next-on-server", message, "with output: 'export' it would be files to publish")
    elif config(package, "vite.config")[0] and draft.framework not in {"sveltekit", "remix", "react-router"}:
        pages = next((name for dependency, name in PAGES if dependency in package.builds_with), "pages")
        message = f"{package.file} builds {pages} with Vite and runs as a server"
        draft.note("pages-on-server", message, "see that the server hands out what was built")
    elif draft.framework in {"astro", "sveltekit"}:
        message = f"{package.file}: {draft.framework} runs as a server here"
        draft.note("pages-on-server", message, "made static, it would be files to publish")


def _learn_runtime(draft: Draft, package: Package, manager: PackageTool) -> None:
    if manager.tool == "bun" and _runs_on_bun(draft, package):
        draft.learn(manager.lock or package.file, language="bun")
    tool = draft.language
    engines = table(package.data, "engines")
    learn_pin(draft, package.file, f"engines.{tool}", engines.get(tool))
    for folder in dict.fromkeys((package.folder, package.home)):
        learn_version(draft, folder, "nodejs" if tool == "node" else tool, *_version_files(tool))
        learn_version(draft, folder, tool)
    volta = table(package.data, "volta")
    learn_pin(draft, package.file, "volta.node", volta.get("node"))


def _version_files(tool: str) -> tuple[str, ...]:
    return (".nvmrc", ".node-version") if tool == "node" else (".bun-version",)


def _runs_on_bun(draft: Draft, package: Package) -> bool:
    start = package.scripts.get("start", "")
    return start.startswith("bun ") or (draft.start_command.startswith("bun ") and not start)


def _no_service(package: Package) -> str:
    for dependency in MOBILE:
        if dependency in package.builds_with:
            return f"a mobile app ({package.where(dependency)})"
    for dependency in DESKTOP:
        if dependency in package.builds_with:
            return f"a desktop program ({package.where(dependency)})"
    return ""
