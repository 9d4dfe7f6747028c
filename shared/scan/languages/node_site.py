"""JavaScript that ends as files to publish: which generator, and where it leaves them."""

import re

from shared.scan.draft import Draft
from shared.scan.languages.node_frameworks import GENERATORS, PAGES, Generator
from shared.scan.languages.node_package import Package, PackageTool
from shared.scan.reading import table, word
from shared.scan.view import resolve

_SUFFIXES = ("js", "mjs", "cjs", "ts", "mts", "cts")
_EXPORTED = re.compile(r"""\boutput\s{0,4}:\s{0,4}["'`]export["'`]""")
_ON_DEMAND = re.compile(r"""\boutput\s{0,4}:\s{0,4}["'`](?:server|hybrid)["'`]""")
_NO_SERVER = re.compile(r"\bssr\s{0,4}:\s{0,4}false\b")
_LIBRARY = re.compile(r"^[ \t]*lib\s{0,4}:\s{0,4}\{", re.MULTILINE)
_FOLDER_FLAG = re.compile(r"--(?:outDir|out-dir|dist-dir|output|dest)[ =][\"']?([\w./-]{1,100})")
_VITEPRESS = re.compile(r"\bvitepress build(?: ([\w./-]{1,100}))?")


def learn_site(draft: Draft, package: Package, manager: PackageTool) -> bool:
    """Take in how the package becomes files; tell whether it does."""
    return (
        _learn_next(draft, package)
        or _learn_astro(draft, package, manager)
        or _learn_sveltekit(draft, package, manager)
        or _learn_nuxt(draft, package)
        or _learn_react_router(draft, package, manager)
    )


def learn_page(draft: Draft, package: Package, manager: PackageTool) -> bool:
    """Take in how a front end without a server becomes files; tell whether it does."""
    page = next(((dep, name) for dep, name in PAGES if dep in package.builds_with), None)
    generator = next((each for each in GENERATORS if each.dependency in package.builds_with), None)
    if page:
        draft.learn(package.file, package.where(page[0]), framework=page[1])
    if generator:
        return _learn_generator(draft, package, manager, generator)
    return (
        _learn_angular(draft, package, manager)
        or _learn_vite(draft, package, manager)
        or _learn_svelte(draft, package)
    )


def config(package: Package, *stems: str) -> tuple[str, str]:
    """Return the path and the text of a tool's configuration."""
    for stem in stems:
        file = package.folder.has(*(f"{stem}.{suffix}" for suffix in _SUFFIXES))
        if file:
            return file, package.folder.source(file.rpartition("/")[2])
    return "", ""


def learn_output(draft: Draft, package: Package, folder: str, file: str, at: str = "") -> None:
    """Take in the folder that is published, from the package's own; by custom if nothing says so."""
    path = resolve(package.folder.path, folder)
    if path is None:
        draft.warn("output", f"{file} has its files written outside the repository", file=file)
    elif at:
        draft.learn(file, at, output=path)
    else:
        draft.suppose(file, output=path)


def _set(text: str, key: str) -> str:
    """Return the plain text that a configuration sets a key to."""
    found = re.search(rf"""\b{key}["']?\s{{0,4}}[:=]\s{{0,4}}["'`]([\w./-]{{1,100}})["'`]""", text)
    return found[1] if found else ""


def _learn_next(draft: Draft, package: Package) -> bool:
    if "next" not in package.builds_with:
        return False
    file, text = config(package, "next.config")
    if not _EXPORTED.search(text) or "build" not in package.scripts:
        return False
    draft.learn(package.file, package.where("next"), framework="next")
    draft.learn(file, "output: export", static_hint="next-export")
    folder = _set(text, "distDir")
    learn_output(draft, package, folder or "out", file, "distDir" if folder else "")
    return True


def _learn_astro(draft: Draft, package: Package, manager: PackageTool) -> bool:
    if "astro" not in package.builds_with:
        return False
    file, text = config(package, "astro.config")
    if _ON_DEMAND.search(text):
        return False
    draft.learn(package.file, package.where("astro"), framework="astro", static_hint="astro")
    folder = _set(text, "outDir")
    learn_output(draft, package, folder or "dist", file or package.file, "outDir" if folder else "")
    draft.suppose(package.file, build_commands=(manager.program("astro build"),))
    return True


def _learn_sveltekit(draft: Draft, package: Package, manager: PackageTool) -> bool:
    if "@sveltejs/kit" not in package.builds_with or "@sveltejs/adapter-static" not in package.builds_with:
        return False
    file, text = config(package, "svelte.config")
    draft.learn(package.file, package.where("@sveltejs/kit"), framework="sveltekit")
    draft.learn(package.file, package.where("@sveltejs/adapter-static"), static_hint="svelte")
    folder = _set(text, "pages")
    learn_output(draft, package, folder or "build", file or package.file, "pages" if folder else "")
    draft.suppose(package.file, build_commands=(manager.program("vite build"),))
    return True


def _learn_nuxt(draft: Draft, package: Package) -> bool:
    if "nuxt" not in package.builds_with or "nuxt generate" not in package.scripts.get("build", ""):
        return False
    draft.learn(package.file, "scripts.build", framework="nuxt", static_hint="nuxt-generate")
    learn_output(draft, package, ".output/public", package.file)
    return True


def _learn_react_router(draft: Draft, package: Package, manager: PackageTool) -> bool:
    file, text = config(package, "react-router.config")
    if "@react-router/dev" not in package.builds_with or not _NO_SERVER.search(text):
        return False
    draft.learn(package.file, package.where("@react-router/dev"), framework="react-router")
    draft.learn(file, "ssr: false", static_hint="vite")
    learn_output(draft, package, "build/client", file)
    draft.suppose(package.file, build_commands=(manager.program("react-router build"),))
    return True


def _learn_generator(draft: Draft, package: Package, manager: PackageTool, found: Generator) -> bool:
    at = package.where(found.dependency)
    build = package.scripts.get("build", "")
    if found.name == "parcel" and "parcel build" not in build:
        return False
    if found.name != "parcel" or not draft.framework:
        draft.learn(package.file, at, framework=found.name)
    draft.learn(package.file, at, static_hint=found.hint)
    flag = _FOLDER_FLAG.search(build)
    if found.name == "vitepress":
        _learn_vitepress(draft, package, build)
    elif flag:
        learn_output(draft, package, flag[1], package.file, "scripts.build")
    else:
        _learn_configured(draft, package, found)
    draft.suppose(package.file, at, build_commands=(manager.program(found.build),))
    return True


def _learn_configured(draft: Draft, package: Package, found: Generator) -> None:
    stems = {"eleventy": ("eleventy.config", ".eleventy"), "vue": ("vue.config",)}
    keys = {"eleventy": "output", "vue": "outputDir"}
    file, text = config(package, *stems.get(found.name, ()))
    folder = _set(text, keys[found.name]) if file else ""
    if folder:
        learn_output(draft, package, folder, file, keys[found.name])
    else:
        learn_output(draft, package, found.output, package.file)


def _learn_vitepress(draft: Draft, package: Package, build: str) -> None:
    script = next((line for line in (build, *package.scripts.values()) if "vitepress build" in line), "")
    called = _VITEPRESS.search(script)
    source = called[1] if called and called[1] else "."
    learn_output(draft, package, f"{source}/.vitepress/dist", package.file, "scripts" if called else "")


def _learn_angular(draft: Draft, package: Package, manager: PackageTool) -> bool:
    file = package.folder.has("angular.json")
    if not file or "@angular/core" not in package.builds_with:
        return False
    projects = table(package.folder.json("angular.json"), "projects")
    name, project = next(
        ((key, each) for key, each in projects.items() if word(each, "projectType") != "library"), ("", {})
    )
    build = table(project, "architect", "build") or table(project, "targets", "build")
    written = build.get("options", {}).get("outputPath") if isinstance(build.get("options"), dict) else None
    folder = written if isinstance(written, str) else word(written, "base") or f"dist/{name}"
    if ":application" in word(build, "builder"):
        folder = f"{folder}/{word(written, 'browser') or 'browser'}"  # where this builder puts the pages
    draft.learn(file, static_hint="angular")
    at = f"projects.{name}.architect.build.options.outputPath" if written else ""
    learn_output(draft, package, folder, file, at)
    draft.suppose(file, build_commands=(manager.program("ng build"),))
    return True


def _learn_vite(draft: Draft, package: Package, manager: PackageTool) -> bool:
    file, text = config(package, "vite.config")
    build = package.scripts.get("build", "")
    if not (file or "vite" in package.builds_with) or _LIBRARY.search(text):
        return False
    if not (file or "vite build" in build or package.folder.has("index.html")):
        return False
    at = "" if file else package.where("vite")
    if not draft.framework:
        draft.learn(file or package.file, at, framework="vite")
    draft.learn(file or package.file, at, static_hint="vite")
    flag, folder = _FOLDER_FLAG.search(build), _set(text, "outDir")
    if flag:
        learn_output(draft, package, flag[1], package.file, "scripts.build")
    else:
        learn_output(draft, package, folder or "dist", file or package.file, "build.outDir" if folder else "")
    draft.suppose(file or package.file, build_commands=(manager.program("vite build"),))
    return True


def _learn_svelte(draft: Draft, package: Package) -> bool:
    """Take in Svelte's older template, built by Rollup into its public folder."""
    if "svelte" not in package.builds_with or "rollup" not in package.scripts.get("build", ""):
        return False
    draft.learn(package.file, package.where("svelte"), static_hint="svelte")
    learn_output(draft, package, "public", package.file)
    return True
