"""How a Python program is started: by its framework, its entry file or its script."""

import re
from typing import NamedTuple

from shared.scan import source_port
from shared.scan.draft import Draft
from shared.scan.languages.python_package import PACKAGES, PythonProject, interpreter
from shared.scan.reading import table
from shared.scan.view import Folder, relative
from shared.scan.words import address_default, in_shell, port_default, quote

PORT = 8000
HOST = '"${HOST:-0.0.0.0}"'
FRAMEWORKS = (
    "django", "fastapi", "flask", "litestar", "starlette", "quart", "sanic", "falcon", "bottle", "pyramid",
    "tornado", "aiohttp", "python-fasthtml", "nicegui", "streamlit", "gradio", "chainlit", "dash",
)  # fmt: skip
_ASGI = frozenset({"fastapi", "litestar", "starlette", "quart", "python-fasthtml"})
_WSGI = frozenset({"flask", "falcon", "bottle", "pyramid", "dash"})
_ENTRIES = ("main.py", "app.py", "server.py", "wsgi.py", "asgi.py", "application.py", "api.py", "run.py",
            "start.py", "index.py")  # fmt: skip
_RUN = ("main.py", "app.py", "server.py", "run.py", "start.py", "__main__.py", "bot.py")
_APPLICATION = re.compile(
    r"^(\w{1,60})[ \t]{0,4}(?::[^=\n]{1,60})?=[ \t]{0,4}(?:[\w.]{1,60}\.)?"
    r"(?:FastAPI|Flask|Starlette|Litestar|Quart|FastHTML|Sanic|Bottle|Dash|App|make_wsgi_app|get_wsgi_application)\(",
    re.MULTILINE,
)
_FACTORY = re.compile(r"^(?:async )?def (create_app|make_app|get_app|build_app)\(", re.MULTILINE)
_SERVES = re.compile(
    r"\b(?:http\.server|socketserver|wsgiref|HTTPServer|asyncio\.start_server|uvicorn\.run|app\.run\()"
)
_SETTINGS = re.compile(r"DJANGO_SETTINGS_MODULE[\"'],\s{0,20}[\"']([\w.]{1,100})[\"']")
_MAIN = re.compile(r"""^if __name__ == ["']__main__["']""", re.MULTILINE)


class Application(NamedTuple):
    """A web application's place: `shop.main:app`."""

    module: str
    name: str
    file: str
    line: int
    is_factory: bool


def learn_framework(draft: Draft, project: PythonProject) -> None:
    """Take in the web framework."""
    folder = project.folder
    name = project.uses(*FRAMEWORKS)
    if folder.has("manage.py") and _SETTINGS.search(folder.source("manage.py")):
        draft.learn(folder.at("manage.py"), "DJANGO_SETTINGS_MODULE", framework="django")
    elif name:
        draft.learn(*project.needs[name], framework=name.removeprefix("python-"))
    draft.serves = bool(draft.framework)


def learn_start(draft: Draft, project: PythonProject) -> None:
    """Take in the start command and the port."""
    starters = {"django": _start_django, "streamlit": _start_streamlit}
    start = starters.get(draft.framework)
    if start:
        start(draft, project)
    elif draft.framework:
        _start_application(draft, project)
    if not draft.start_command:
        _start_file(draft, project)
    if not draft.start_command:
        _start_script(draft, project)


def _start_django(draft: Draft, project: PythonProject) -> None:
    folder, python = project.folder, interpreter(draft)
    settings = _SETTINGS.search(folder.source("manage.py"))
    if not settings:
        return
    package = settings[1].partition(".")[0]
    at = f"DJANGO_SETTINGS_MODULE {settings[1]}"
    file = folder.at("manage.py")
    if project.uses("gunicorn") and folder.has(f"{package}/wsgi.py"):
        start = f"{python} -m gunicorn {package}.wsgi:application"
        draft.learn(folder.at(f"{package}/wsgi.py"), start_command=_bound(start))
    elif project.uses("uvicorn", "daphne") and folder.has(f"{package}/asgi.py"):
        server = project.uses("uvicorn", "daphne")
        start = _served_asgi(python, server, f"{package}.asgi:application")
        draft.learn(folder.at(f"{package}/asgi.py"), start_command=start)
    else:
        manage = below(draft, folder, "manage.py")
        run = f"exec {python} {manage} runserver --noreload {address_default(PORT)}"
        draft.learn(file, at, start_command=in_shell(run))
        _warn_of_development(draft, file, "Django's")
    draft.learn(file, at, assumed=True, port=PORT, port_given="variable")
    text = folder.source(f"{settings[1].replace('.', '/')}.py")
    if "STATIC_ROOT" in text:
        manage = below(draft, folder, "manage.py")
        collect = (*draft.build_commands, f"{python} {manage} collectstatic --noinput")
        draft.learn(folder.at(f"{settings[1].replace('.', '/')}.py"), "STATIC_ROOT", build_commands=collect)


def _start_streamlit(draft: Draft, project: PythonProject) -> None:
    entry = project.folder.has("streamlit_app.py", *_ENTRIES)
    if entry:
        name = below(draft, project.folder, entry.rpartition("/")[2])
        python = interpreter(draft)
        line = (
            f"exec {python} -m streamlit run {name} --server.headless true --server.port {port_default(8501)}"
        )
        draft.learn(entry, assumed=True, start_command=in_shell(line), port=8501, port_given="variable")


def _start_application(draft: Draft, project: PythonProject) -> None:
    found = find_application(project.folder)
    if found is None:
        return
    python, place = interpreter(draft), f"{found.module}:{found.name}"
    asgi = project.uses("uvicorn", "fastapi-standard", "hypercorn", "granian")
    start = ""
    if draft.framework in _ASGI and project.uses("gunicorn") and project.uses("uvicorn"):
        place = f"{place}()" if found.is_factory else place
        start = _bound(f"{python} -m gunicorn -k uvicorn.workers.UvicornWorker {quote(place)}")
    elif draft.framework in _ASGI and asgi:
        start = _served_asgi(python, asgi, f"{place} --factory" if found.is_factory else place)
    elif draft.framework in _WSGI and project.uses("gunicorn", "waitress"):
        start = _served_wsgi(python, project.uses("gunicorn", "waitress"), found)
    elif draft.framework == "flask":
        run = f"exec {python} -m flask --app {found.module} run --host {HOST} --port {port_default(PORT)}"
        start = in_shell(run)
        _warn_of_development(draft, found.file, "Flask's")
    if start:
        draft.learn(found.file, f"line {found.line}", start_command=start)
        draft.learn(found.file, assumed=True, port=PORT, port_given="variable")


def find_application(folder: Folder) -> Application | None:
    """Return where the application is made: in an entry file, or in a package of the folder."""
    places = [("", folder), ("src.", folder.down("src"))]
    for below in (folder, folder.down("src")):
        named = [
            child
            for child in below.children()
            if child.name.isidentifier() and child.name not in {"src", "tests", "docs"}
        ]
        places += [(f"{child.name}.", child) for child in named[:6]]
    for prefix, place in places:
        for name in (*_ENTRIES, "__init__.py"):
            found = _application_in(place, name, prefix) if place.has(name) else None
            if found:
                return found
    return None


def _application_in(place: Folder, name: str, prefix: str) -> Application | None:
    text = place.source(name)
    made = _APPLICATION.search(text)
    factory = None if made else _FACTORY.search(text)
    found = made or factory
    if not found:
        return None
    module = prefix.rstrip(".") if name == "__init__.py" else f"{prefix}{name.removesuffix('.py')}"
    line = text.count("\n", 0, found.start()) + 1
    return Application(module, found[1], place.at(name), line, factory is not None) if module else None


def _served_asgi(python: str, server: str, place: str) -> str:
    options = {
        "hypercorn": f"hypercorn --bind {address_default(PORT)} {place}",
        "granian": f"granian --interface asgi --host {HOST} --port {port_default(PORT)} {place}",
        "daphne": f"daphne -b {HOST} -p {port_default(PORT)} {place}",
    }
    usual = f"uvicorn {place} --host {HOST} --port {port_default(PORT)}"
    return in_shell(f"exec {python} -m {options.get(server, usual)}")


def _served_wsgi(python: str, server: str, found: Application) -> str:
    place = f"{found.module}:{found.name}"
    if server == "waitress":
        call = f"--call {place}" if found.is_factory else place
        return in_shell(f"exec {python} -m waitress --host {HOST} --port {port_default(PORT)} {call}")
    return _bound(f"{python} -m gunicorn {quote(f'{place}()' if found.is_factory else place)}")


def _bound(gunicorn: str) -> str:
    return in_shell(f"exec {gunicorn} --bind {address_default(PORT)}")


def _start_file(draft: Draft, project: PythonProject) -> None:
    """Take in a file that is meant to be run."""
    folder = project.folder
    for name in _RUN:
        text = folder.source(name) if folder.has(name) else ""
        serves = _SERVES.search(text)
        if not text or not (serves or draft.framework or _MAIN.search(text) or not project.manifest):
            continue
        start = f"{interpreter(draft)} {below(draft, folder, name)}"
        draft.suppose(folder.at(name), start_command=start)
        if serves:
            draft.serves = True
            line = text.count("\n", 0, serves.start()) + 1
            draft.suppose(folder.at(name), f"line {line}", framework=serves[0].rstrip("("))
        found = source_port.in_source(folder.at(name), text)
        if found:
            draft.learn_port(found, usual=PORT)
        elif draft.serves:
            draft.suppose(folder.at(name), port=PORT, port_given="unknown")
        return


def _start_script(draft: Draft, project: PythonProject) -> None:
    """Take in the one script that a project of a web framework installs."""
    scripts = table(project.data, "project", "scripts") or table(project.data, "tool", "poetry", "scripts")
    file = project.folder.at("pyproject.toml")
    if len(scripts) == 1 and draft.serves and draft.package_manager != "poetry":
        name = next(iter(scripts))
        start = f"env {draft.environment} {below(draft, project.folder, f'{PACKAGES}/bin/{name}')}"
        draft.suppose(file, f"project.scripts.{name}", start_command=start)
        draft.suppose(file, port=PORT, port_given="unknown")


def below(draft: Draft, folder: Folder, name: str) -> str:
    """Return a file of the folder as the commands see it."""
    return quote(relative(draft.commands_in, folder.at(name)))


def _warn_of_development(draft: Draft, file: str, whose: str) -> None:
    message = f"{file} would be served by {whose} development server"
    draft.warn("development-server", message, "add gunicorn to what the project needs", file)
