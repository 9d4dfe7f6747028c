"""Where the services of a repository are: compose files, workspaces, Dockerfiles, folders, the root.

Whoever is found first claims the folder. A folder that looks like a service and is none is told with
the reason.
"""

from dataclasses import dataclass, field

from shared.scan import compose, dockerfile
from shared.scan.detection import detect
from shared.scan.draft import Draft
from shared.scan.result import LeftOut
from shared.scan.tree import SERVICES_MAX
from shared.scan.view import ROOT, Folder, View, is_looked_into, join, relative
from shared.scan.workspace import GROUPS, Workspace, grouped, read_workspace

# Folders whose programs serve the work on the repository, not its users.
ASIDE = frozenset({
    "__tests__", "benchmark", "benchmarks", "demo", "demos", "dev", "development", "e2e", "example",
    "examples", "fixture", "fixtures", "hack", "integration-tests", "local", "playground", "sample",
    "samples", "script", "scripts", "spec",
    "template", "templates", "test", "testdata", "testing", "tests", "third_party", "tools", "tooling",
})  # fmt: skip
_SITES = frozenset({"app", "client", "frontend", "landing", "site", "ui", "web", "website", "www"})
_LIBRARIES = ("packages", "libs")  # what lies in them is a service only if it says how it is run
_RUNS = ("start", "serve", "dev")
LEFT_OUT_MAX = 200


@dataclass(slots=True)
class Catalogue:
    """What was found so far."""

    view: View
    workspace: Workspace
    drafts: list[Draft] = field(default_factory=list)
    left_out: dict[tuple[str, str], LeftOut] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)
    _root: list[str] = field(default_factory=list)  # the root's language, once somebody asked

    @property
    def is_full(self) -> bool:
        """Tell whether there are as many services as anybody would deploy; warn of it."""
        if len(self.drafts) < SERVICES_MAX:
            return False
        self.view.stop(f"only the first {SERVICES_MAX} services are listed")
        return True

    @property
    def is_spent(self) -> bool:
        """Tell whether looking further would find nothing more."""
        return self.is_full or self.view.is_spent

    def add(self, draft: Draft) -> None:
        """Keep a service."""
        if draft.dockerfile or draft.rank or not draft.compose_file:  # an image from elsewhere claims nothing
            self.claimed.add(draft.root)
        self.drafts.append(draft)

    def leave_out(self, name: str, root: str, file: str, reason: str) -> None:
        """Keep why something is none."""
        if len(self.left_out) < LEFT_OUT_MAX:
            self.left_out.setdefault((root, name), LeftOut(name, root, file, reason))

    def consider(self, folder: Folder) -> None:
        """Keep what is in a folder, if it is a service that nobody claimed."""
        if folder.path in self.claimed or is_aside(folder.path) or self.is_full:
            return
        draft = self.look(folder)
        if draft is None:
            return
        if draft.static_hint == "static-html" and folder.path != ROOT and folder.name.lower() not in _SITES:
            return  # pages that something else hands out, or that are generated documentation
        if not draft.has_manifest and not draft.dockerfile and self.root_speaks(draft.language):
            return  # a part of the program in the root
        if draft.is_service and not draft.no_service:
            self.add(draft)
        else:
            reason = draft.no_service or "nothing says how it is started, and it makes no pages"
            self.leave_out(folder.name or draft.name or ROOT, folder.path, draft.file, reason)

    def root_speaks(self, language: str) -> bool:
        """Tell whether the root is a program in a language."""
        self._root = self._root or [root.language if (root := detect(self.view.folder(ROOT), {})) else ""]
        return self._root[0] == language

    def look(self, folder: Folder) -> Draft | None:
        """Return what is in a folder, with its Dockerfile."""
        draft = detect(folder, self.workspace.homes(folder.path))
        name = dockerfile.find(folder)
        is_enough = draft is not None and draft.rank > 0 and dockerfile.is_for_work(name)
        if name and not is_enough:
            draft = draft or Draft(folder.path, file=folder.at(name), commands_in=folder.path)
            dockerfile.learn_dockerfile(draft, folder, name)
        return draft


def find_services(view: View) -> Catalogue:
    """Go through the rules, the surest first."""
    root = view.folder(ROOT)
    catalogue = Catalogue(view, read_workspace(root))
    _from_compose(catalogue)
    _from_workspace(catalogue)
    _from_dockerfiles(catalogue)
    _from_folders(catalogue)
    _from_root(catalogue)
    return catalogue


def is_aside(path: str) -> bool:
    """Tell a folder that serves the work on the repository."""
    return any(part.lower() in ASIDE for part in path.split("/"))


def _from_compose(catalogue: Catalogue) -> None:
    for folder in catalogue.view.composed():
        if catalogue.is_spent:
            return
        if not folder.has(*compose.FILES) or is_aside(folder.path):
            continue
        ours, dropped = compose.read_compose(folder)
        for each in dropped:
            catalogue.leave_out(each.name, folder.path, each.file, each.reason)
        seen: set[str] = set()
        before = len(catalogue.drafts)
        for service in sorted(ours, key=lambda each: each.port is None):  # who listens speaks for the folder
            if not catalogue.is_full:
                _add_composed(catalogue, folder, service, seen)
        order = [each.name for each in ours]
        catalogue.drafts[before:] = sorted(catalogue.drafts[before:], key=lambda each: order.index(each.name))


def _add_composed(
    catalogue: Catalogue, folder: Folder, service: compose.ComposeService, seen: set[str]
) -> None:
    if service.context is None:
        draft = _from_elsewhere(folder, service)
    else:
        place = _folder_of(catalogue, service.context, service.dockerfile)
        if place.path in catalogue.claimed - seen:
            return  # a compose file nearer to the root runs it
        if not all(map(is_looked_into, place.path.split("/"))) and place.path != ROOT:
            reason = f"it is built in {place.path}, where only installed or built files are"
            catalogue.leave_out(service.name, folder.path, service.file, reason)
            return
        draft = _composed(catalogue, place, service, first=place.path not in seen)
        seen.add(place.path)
    _learn_service(draft, service)
    catalogue.add(draft)


def _learn_service(draft: Draft, service: compose.ComposeService) -> None:
    """Take in what the compose file itself says."""
    draft.name, at = service.name, f"services.{service.name}"
    draft.learn(service.file, at, compose_file=service.file, compose_service=service.name)
    if service.port:
        draft.learn(service.file, f"{at}.ports", port=service.port)
        if not draft.port_given:
            draft.learn(service.file, f"{at}.ports", assumed=True, port_given="fixed")
    if service.command and (draft.container_start or not draft.start_command):
        draft.container_start = True
        draft.learn(service.file, f"{at}.command", start_command=service.command)


def _from_elsewhere(folder: Folder, service: compose.ComposeService) -> Draft:
    """Return a service whose image the repository does not make."""
    draft = Draft(folder.path, file=service.file, commands_in=folder.path)
    if service.image:
        draft.learn(service.file, f"services.{service.name}.image", image=service.image)
    if service.elsewhere:
        message = f"services.{service.name} of {service.file} is built from what is not in the repository"
        draft.warn("build-elsewhere", message, "name a folder of the repository")
    return draft


def _composed(catalogue: Catalogue, place: Folder, service: compose.ComposeService, *, first: bool) -> Draft:
    """Return what is known of the folder of a compose service; its program is told once."""
    context = service.context or ROOT
    found = detect(place, catalogue.workspace.homes(place.path)) if first else None
    draft = found if found and not found.no_service else Draft(place.path, commands_in=place.path)
    draft.file = draft.file or service.file
    name = relative(place.path, join(context, service.dockerfile)) if service.dockerfile else ""
    name = name or dockerfile.find(place)
    if name and place.has(name):
        dockerfile.learn_dockerfile(draft, place, name)
        draft.learn(service.file, f"services.{service.name}.build", docker_context=context)
        if not first and not service.port:
            draft.forget_port()  # it is that of the service that speaks for the folder
    elif not name or ".." not in name:
        message = f"services.{service.name} of {service.file} is built in {context}, where no Dockerfile is"
        draft.warn("no-dockerfile", message, "write one, or name it under build.dockerfile", service.file)
    return draft


def _folder_of(catalogue: Catalogue, context: str, file: str) -> Folder:
    """Return where the program of an image lies: its context, or below it the folder of its Dockerfile."""
    below = join(context, file.rpartition("/")[0]) if "/" in file and ".." not in file else context
    place = catalogue.view.folder(below)
    if below != context and place.name.lower() not in dockerfile.ASIDE:
        found = detect(place, catalogue.workspace.homes(below))
        if found and found.rank:
            return place
    return catalogue.view.folder(context)


def _from_workspace(catalogue: Catalogue) -> None:
    for path in sorted(catalogue.workspace.members):
        folder = catalogue.view.folder(path)
        parts = path.split("/")
        if parts[0] in _LIBRARIES and not _says_how_it_runs(folder):
            file = folder.at("package.json")
            catalogue.leave_out(folder.name, path, file, f"a library: it has no script {', '.join(_RUNS)}")
        else:
            catalogue.consider(folder)
    for child in catalogue.view.folder(ROOT).children():
        inner = read_workspace(child) if child.path not in catalogue.claimed else None
        if inner and inner.members and not is_aside(child.path):
            _from_inner(catalogue, inner)


def _from_inner(catalogue: Catalogue, inner: Workspace) -> None:
    """Go through a workspace in a folder of the root: a repository may hold several."""
    before, outer = len(catalogue.drafts), catalogue.workspace
    catalogue.workspace = inner
    for path in sorted(inner.members):
        if path not in outer.members:
            catalogue.consider(catalogue.view.folder(path))
    catalogue.workspace = outer
    if len(catalogue.drafts) > before and inner.is_node:
        catalogue.claimed.add(inner.root.path)


def _says_how_it_runs(folder: Folder) -> bool:
    if not folder.has("package.json"):
        return True
    data = folder.json("package.json")
    scripts = data.get("scripts") if isinstance(data, dict) else None
    return isinstance(scripts, dict) and any(name in scripts for name in _RUNS)


def _from_dockerfiles(catalogue: Catalogue) -> None:
    for folder in catalogue.view.contained():
        if catalogue.is_spent:
            return
        if folder.path != ROOT and dockerfile.find(folder) and not _is_for_above(folder):
            catalogue.consider(folder)


def _is_for_above(folder: Folder) -> bool:
    return folder.name.lower() in dockerfile.ASIDE and detect(folder, {}) is None


def _from_folders(catalogue: Catalogue) -> None:
    root = catalogue.view.folder(ROOT)
    for child in root.children():
        if child.name not in GROUPS and not _is_for_above(child):
            catalogue.consider(child)
    if not catalogue.workspace.is_node:
        for path in grouped(root):
            catalogue.consider(catalogue.view.folder(path))


def _from_root(catalogue: Catalogue) -> None:
    """Keep the root itself, unless it only holds a workspace's members together."""
    root = catalogue.view.folder(ROOT)
    if ROOT in catalogue.claimed or catalogue.is_full:
        return
    members = [draft for draft in catalogue.drafts if draft.root in catalogue.workspace.members]
    draft = catalogue.look(root)
    if draft and members and not (draft.dockerfile or _starts_itself(draft)):
        return
    if draft is None or not draft.dockerfile:
        draft = _with_dockerfile_aside(draft, root)
    if draft is None or not draft.is_service or draft.no_service:
        catalogue.consider(root)
        return
    if draft.rank == 1 and catalogue.drafts and not draft.dockerfile and draft.static_hint == "static-html":
        catalogue.leave_out(ROOT, ROOT, draft.file, "a page beside services of the repository")
        return
    catalogue.add(draft)


def _starts_itself(draft: Draft) -> bool:
    """Tell whether a file says how it is started; what a workspace's members need is listed in its root."""
    start = draft.evidence.get("start_command")
    return draft.serves and start is not None and not (start.assumed and draft.language == "node")


def _with_dockerfile_aside(draft: Draft | None, root: Folder) -> Draft | None:
    """Take in a Dockerfile that lies in a folder for such files."""
    for child in root.children():
        name = dockerfile.find(child) if child.name.lower() in dockerfile.ASIDE else ""
        if name and _is_for_above(child):
            draft = draft or Draft(ROOT, file=child.at(name), commands_in=ROOT)
            dockerfile.learn_dockerfile(draft, child, name)
            break
    return draft
