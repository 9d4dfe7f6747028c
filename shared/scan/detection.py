"""Which language speaks for a folder, when the files of several lie in it."""

from collections.abc import Callable, Mapping

from shared.scan.draft import Draft
from shared.scan.languages import (
    deno,
    dotnet,
    elixir,
    go,
    jvm,
    node,
    nx,
    php,
    python,
    ruby,
    rust,
    static_site,
)
from shared.scan.procfile import learn_procfile
from shared.scan.view import Folder

Rule = Callable[[Folder, Folder], Draft | None]

# At equal certainty the first speaks: a `package.json` beside another language most often builds its pages.
RULES: tuple[tuple[str, Rule], ...] = (
    ("php", php.detect),
    ("ruby", ruby.detect),
    ("elixir", elixir.detect),
    ("jvm", jvm.detect),
    ("go", go.detect),
    ("rust", rust.detect),
    ("dotnet", dotnet.detect),
    ("deno", deno.detect),
    ("python", python.detect),
    ("node", node.detect),
    ("nx", nx.detect),
    ("static", static_site.detect),
)
MOBILE_FOLDERS = frozenset({"android", "expo", "flutter", "ios", "mobile", "react-native"})


def detect(folder: Folder, homes: Mapping[str, Folder]) -> Draft | None:
    """Return what is in a folder; `homes` are the roots of workspaces it belongs to, by language."""
    mobile = _mobile(folder)
    drafts = [draft for name, rule in RULES if (draft := rule(folder, homes.get(name, folder)))]
    if not drafts:
        return _started(folder) or mobile
    best = max(drafts, key=lambda draft: draft.rank)
    if mobile and best.rank < 3:
        return mobile
    refused = next((draft for draft in drafts if draft.no_service), None)
    if refused and best.rank < 2:
        return refused
    _note_others(best, drafts)
    learn_procfile(best, folder)
    return best


def _started(folder: Folder) -> Draft | None:
    """Return a program of which only a Procfile tells."""
    if not folder.has("Procfile"):
        return None
    draft = Draft(folder.path, file=folder.at("Procfile"), commands_in=folder.path)
    learn_procfile(draft, folder)
    return draft


def _mobile(folder: Folder) -> Draft | None:
    file = folder.has("pubspec.yaml")
    if file and "flutter" not in folder.text("pubspec.yaml"):
        return Draft(folder.path, file=file, no_service="Dart, which is not recognised")
    if file:
        return Draft(folder.path, file=file, no_service=f"a mobile app ({file})")
    if folder.has_folder("android") and folder.has_folder("ios"):
        return Draft(folder.path, file=folder.path, no_service="a mobile app (android and ios folders)")
    if folder.name.lower() in MOBILE_FOLDERS:
        return Draft(folder.path, file=folder.path, no_service="a mobile app (by the folder's name)")
    return None


def _note_others(best: Draft, drafts: list[Draft]) -> None:
    known = {each.file for each in best.evidence.values()}
    others = [each for each in drafts if each is not best and each.rank and each.file not in known]
    others = [each for each in others if each.language not in {best.language, "html"}]
    if others:
        told = ", ".join(f"{each.language} ({each.file})" for each in others)
        message = f"{best.file} speaks for the folder, in which there is also {told}"
        best.note("several-languages", message, "give each a folder of its own")
