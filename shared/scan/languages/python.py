"""Python: `pyproject.toml`, `requirements.txt`, `Pipfile`, `setup.py`, `manage.py`, or a program."""

from shared.scan.draft import Draft
from shared.scan.languages.node import learn_assets
from shared.scan.languages.python_package import learn_places, learn_python_version, learn_tool, read_project
from shared.scan.languages.python_start import learn_framework, learn_start
from shared.scan.reading import word
from shared.scan.view import Folder

_PROGRAMS = ("manage.py", "main.py", "app.py", "server.py")


def detect(folder: Folder, home: Folder) -> Draft | None:
    """Return what the files say; `home` is the root of the uv workspace it belongs to."""
    project = read_project(folder, home)
    file = project.manifest or folder.has(*_PROGRAMS)
    if not file:
        return None
    name = word(project.data, "project", "name") or word(project.data, "tool", "poetry", "name")
    draft = Draft(folder.path, name, file, commands_in=home.path)
    draft.has_manifest = bool(project.manifest)
    draft.learn(file, language="python")
    learn_tool(draft, project)
    learn_places(draft, project)
    learn_python_version(draft, project)
    learn_framework(draft, project)
    learn_start(draft, project)
    if draft.serves:
        learn_assets(draft, folder)
    return draft
