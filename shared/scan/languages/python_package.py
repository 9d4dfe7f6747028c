"""A Python project: which packages it needs, which tool installs them, and how."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from shared.scan.draft import Draft
from shared.scan.reading import table, word, words
from shared.scan.versions import learn_pin, learn_version
from shared.scan.view import Folder, relative, resolve
from shared.scan.words import quote

PACKAGES = ".packages"  # where they go: beside the program, so that a release has them wherever it lies
EXPORTED = ".packages.txt"
_REQUIREMENTS = ("requirements.txt", "requirements/production.txt", "requirements/prod.txt",
                 "requirements/base.txt", "requirements.in")  # fmt: skip
_NAME = re.compile(r"[ \t]*([A-Za-z0-9][A-Za-z0-9._-]{0,100})")
_EXTRAS = re.compile(r"\[([a-z, _-]{1,60})\]")
_INCLUDED = re.compile(r"(?:-r|--requirement)[ =]\s{0,4}([\w./-]{1,100})")
_SETUP_LIST = re.compile(r"install_requires\s{0,4}=\s{0,4}\[([^\]]{0,4000})\]")
INCLUDES_MAX = 5
LISTED_MAX = 60  # packages on one command line


@dataclass
class PythonProject:
    """What the files of one folder say about it."""

    folder: Folder
    home: Folder  # the root of its uv workspace; its own folder where there is none
    needs: dict[str, tuple[str, str]] = field(default_factory=dict)  # package -> file, key

    @cached_property
    def data(self) -> dict[str, Any]:
        """What `pyproject.toml` says."""
        return table(self.folder.toml("pyproject.toml"))

    @property
    def requirements(self) -> str:
        """The path of the list of packages, if there is one."""
        return self.folder.has(*_REQUIREMENTS)

    @property
    def manifest(self) -> str:
        """The file that says most."""
        folder = self.folder
        return (
            folder.has("pyproject.toml")
            or folder.has("Pipfile")
            or self.requirements
            or folder.has("setup.py")
        )

    def uses(self, *packages: str) -> str:
        """Return the first of these that it needs, or nothing."""
        return next((each for each in packages if each in self.needs), "")


def read_project(folder: Folder, home: Folder) -> PythonProject:
    """Gather what a project needs, from every file that may say it."""
    project = PythonProject(folder, home)
    file = folder.at("pyproject.toml")
    _need(project, words(project.data, "project", "dependencies"), file, "project.dependencies")
    poetry = table(project.data, "tool", "poetry", "dependencies")
    _need(project, poetry, file, "tool.poetry.dependencies")
    for name, value in poetry.items():
        _need(project, (f"{name}-{extra}" for extra in words(value, "extras")), file, "tool.poetry")
    if folder.has("Pipfile"):
        packages = table(folder.toml("Pipfile"), "packages")
        _need(project, packages, folder.at("Pipfile"), "packages")
    _read_requirements(project, project.requirements, set())
    found = _SETUP_LIST.search(folder.source("setup.py"))
    if found:
        names = re.findall(r"[\"']([^\"'\n]{1,100})[\"']", found[1])
        _need(project, names, folder.at("setup.py"), "install_requires")
    return project


def learn_tool(draft: Draft, project: PythonProject) -> None:
    """Take in the package manager and how it installs what is needed beside the program."""
    for tool, file, at, lines in _tools(project):
        draft.learn(file, at, package_manager=tool)
        draft.learn(file, at, install_commands=lines)
        return


def interpreter(draft: Draft) -> str:
    """Return the words that run Python with those packages, from the folder of the commands."""
    if draft.package_manager == "poetry":
        return ".venv/bin/python"
    return f"env {draft.environment} python3" if draft.environment else "python3"


def learn_places(draft: Draft, project: PythonProject) -> None:
    """Take in where packages and their programs are found."""
    below = relative(project.home.path, project.folder.path)
    prefix = "" if below == "." else f"{below}/"
    is_beside = draft.install_commands and draft.package_manager != "poetry"
    places = [f"{prefix}{PACKAGES}"] if is_beside else []
    if prefix:
        places.append(below)
    if project.folder.has_folder("src"):
        places.append(f"{prefix}src")
    if draft.package_manager == "poetry":
        draft.programs = ".venv/bin"
    elif draft.install_commands:
        draft.programs = f"{prefix}{PACKAGES}/bin"
    if quote(draft.programs) != draft.programs:
        draft.programs = ""  # it stands inside quotes where it is used
    draft.environment = f"PYTHONPATH={quote(':'.join(places))}" if places else ""


def learn_python_version(draft: Draft, project: PythonProject) -> None:
    """Take in the pinned release of Python."""
    file, data = project.folder.at("pyproject.toml"), project.data
    for folder in (project.folder, project.home):
        learn_version(draft, folder, "python", ".python-version")
    runtime = project.folder.text("runtime.txt").strip().removeprefix("python-")
    learn_pin(draft, project.folder.at("runtime.txt"), "", runtime[:20] if runtime else None)
    if project.folder.has("Pipfile"):
        pinned = word(project.folder.toml("Pipfile"), "requires", "python_version")
        learn_pin(draft, project.folder.at("Pipfile"), "requires.python_version", pinned or None)
    for keys in (("project", "requires-python"), ("tool", "poetry", "dependencies", "python")):
        learn_pin(draft, file, ".".join(keys), word(data, *keys) or None)


def _tools(project: PythonProject) -> Iterable[tuple[str, str, str, tuple[str, ...]]]:
    """Yield package managers with their evidence, the surest first."""
    folder, home, tools = project.folder, project.home, table(project.data, "tool")
    file, target = folder.at("pyproject.toml"), f"python3 -m pip install --target {PACKAGES}"
    lock = home.has("uv.lock") or folder.has("uv.lock")
    if lock or "uv" in tools:
        yield "uv", lock or file, "" if lock else "tool.uv", _uv(project, locked=bool(lock))
    if folder.has("poetry.lock") or "poetry" in tools:
        found = folder.has("poetry.lock")
        line = (
            "POETRY_VIRTUALENVS_IN_PROJECT=true POETRY_VIRTUALENVS_OPTIONS_ALWAYS_COPY=true"
            " poetry install --only main --no-root"
        )
        yield "poetry", found or file, "" if found else "tool.poetry", (line,)
    if folder.has("pdm.lock") or "pdm" in tools:
        found = folder.has("pdm.lock")
        lines = (f"pdm export --prod --output {EXPORTED}", f"{target} -r {EXPORTED}")
        yield "pdm", found or file, "" if found else "tool.pdm", lines
    if folder.has("Pipfile"):
        lines = (f"pipenv requirements > {EXPORTED}", f"{target} -r {EXPORTED}")
        yield "pipenv", folder.at("Pipfile"), "", lines
    if project.requirements:
        name = quote(relative(folder.path, project.requirements))
        yield "pip", project.requirements, "", (f"{target} -r {name}",)
    if folder.has("pyproject.toml", "setup.py"):
        yield "pip", folder.has("pyproject.toml", "setup.py"), "", (f"{target} {_wanted(project)}",)


def _wanted(project: PythonProject) -> str:
    """Return what pip installs: the project itself, or only what it needs where nothing builds it."""
    needed = words(project.data, "project", "dependencies")
    is_built = "build-system" in project.data or project.folder.has("setup.py")
    if is_built or not needed or len(needed) > LISTED_MAX:
        return "."
    return " ".join(quote(each) for each in needed)


def _uv(project: PythonProject, *, locked: bool) -> tuple[str, ...]:
    export = f"uv export --no-dev --no-editable {'--frozen ' if locked else ''}"
    folder, home = project.folder, project.home
    if folder.path == home.path:
        return (f"{export}--output-file {EXPORTED}", f"uv pip install --target {PACKAGES} -r {EXPORTED}")
    below = relative(home.path, folder.path)
    name = word(project.data, "project", "name")
    return (
        f"{export}--package {quote(name or folder.name)} --output-file {EXPORTED}",
        f"uv pip install --target {quote(f'{below}/{PACKAGES}')} -r {EXPORTED}",
    )


def _need(project: PythonProject, requirements: Iterable[str], file: str, at: str) -> None:
    """Keep packages by their one name; an extra counts as a package of its own."""
    for requirement in requirements:
        name = _NAME.match(requirement)
        if name:
            plain = re.sub(r"[-_.]+", "-", name[1]).lower()
            project.needs.setdefault(plain, (file, at))
            extras = _EXTRAS.match(requirement[name.end() :])
            for extra in extras[1].split(",") if extras else ():
                project.needs.setdefault(f"{plain}-{extra.strip()}", (file, at))


def _read_requirements(project: PythonProject, path: str, seen: set[str]) -> None:
    if not path or path in seen or len(seen) >= INCLUDES_MAX:
        return
    seen.add(path)
    above = path.rpartition("/")[0] or "."
    for number, line in enumerate(project.folder.view.text(path).splitlines(), 1):
        included = _INCLUDED.match(line.strip())
        if included:
            _read_requirements(project, resolve(above, included[1]) or "", seen)
        elif not line.lstrip().startswith(("-", "#")):
            _need(project, (line,), path, f"line {number}")
