"""Pages that are published: site generators that need no language of their own, and plain HTML."""

from shared.scan.draft import Draft
from shared.scan.reading import table, word
from shared.scan.view import Folder, resolve

_HUGO = ("hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json")
_HUGO_TOO = ("config.toml", "config.yaml", "config.yml", "config.json")  # before release 0.110
_HUGO_FOLDERS = ("archetypes", "themes", "layouts")


def detect(folder: Folder, home: Folder) -> Draft | None:
    """Return what a site generator's file, or an index page, says."""
    del home  # a site stands alone
    return _hugo(folder) or _zola(folder) or _mkdocs(folder) or _jekyll(folder) or _html(folder)


def _site(folder: Folder, file: str, name: str, build: str, output: str) -> Draft:
    draft = Draft(folder.path, file=file, commands_in=folder.path)
    draft.learn(file, framework=name, static_hint=name, build_commands=(build,))
    draft.learn(file, assumed=True, output=folder.at(output))
    return draft


def _hugo(folder: Folder) -> Draft | None:
    file = folder.has(*_HUGO)
    if not file and any(map(folder.has_folder, _HUGO_FOLDERS)) and folder.has_folder("content"):
        file = folder.has(*_HUGO_TOO)
    if not file:
        return None
    draft = _site(folder, file, "hugo", "hugo --minify", "public")
    draft.learn(file, language="go", assumed=True)
    _configured(draft, folder, file, "publishDir")
    return draft


def _zola(folder: Folder) -> Draft | None:
    data = folder.toml("config.toml") if folder.has("config.toml") and folder.has_folder("content") else None
    if not word(data, "base_url"):
        return None
    draft = _site(folder, folder.at("config.toml"), "zola", "zola build", "public")
    draft.learn(draft.file, language="rust", assumed=True)
    _configured(draft, folder, draft.file, "output_dir")
    return draft


def _mkdocs(folder: Folder) -> Draft | None:
    file = folder.has("mkdocs.yml", "mkdocs.yaml")
    if not file:
        return None
    draft = _site(folder, file, "mkdocs", "python3 -m mkdocs build", "site")
    draft.learn(file, language="python", assumed=True)
    listed = folder.has("docs/requirements.txt", "requirements-docs.txt", "requirements.txt")
    if listed:
        name = listed[len(folder.path) + 1 :] if folder.path != "." else listed
        install = f"python3 -m pip install --target .packages -r {name}"
        draft.learn(listed, package_manager="pip", install_commands=(install,))
    else:
        install = "python3 -m pip install --target .packages mkdocs"
        draft.learn(file, assumed=True, package_manager="pip", install_commands=(install,))
    draft.learn(file, build_commands=("env PYTHONPATH=.packages python3 -m mkdocs build",))
    _configured(draft, folder, file, "site_dir")
    return draft


def _jekyll(folder: Folder) -> Draft | None:
    file = folder.has("_config.yml", "_config.yaml")
    told = any(map(folder.has_folder, ("_posts", "_layouts", "_includes"))) or folder.has("index.md")
    if not file or not told or folder.has("Gemfile"):
        return None
    draft = _site(folder, file, "jekyll", "jekyll build", "_site")
    draft.learn(file, language="ruby", assumed=True)
    _configured(draft, folder, file, "destination")
    return draft


def _html(folder: Folder) -> Draft | None:
    staticfile = folder.has("Staticfile")
    root = word(folder.yaml("Staticfile"), "root") if staticfile else ""
    place = next((each for each in (root, ".", "public") if each and folder.has(f"{each}/index.html")), "")
    output = resolve(folder.path, place) if place else None
    if not output:
        return None
    draft = Draft(folder.path, file=folder.at(f"{place}/index.html"), commands_in=folder.path)
    draft.learn(draft.file, language="html", static_hint="static-html")
    draft.learn(staticfile if root else draft.file, "root" if root else "", output=output)
    return draft


def _configured(draft: Draft, folder: Folder, file: str, key: str) -> None:
    """Take in the folder that a generator is told to write into."""
    name = file.rpartition("/")[2]
    readers = {"toml": folder.toml, "json": folder.json}
    data = readers.get(name.rpartition(".")[2], folder.yaml)(name)
    written = word(table(data), key)
    output = resolve(folder.path, written) if written else None
    if output:
        draft.learn(file, key, output=output)
