"""The scan: a tree in, an answer out."""

from shared.scan.catalogue import find_services
from shared.scan.result import Scan
from shared.scan.tree import Tree
from shared.scan.verdict import judge, names_of, whole_shape
from shared.scan.view import View


def scan(tree: Tree, name: str = "app") -> Scan:
    """Return what is in a repository; `name` is what a service in its root is called by default.

    Never raises: what is broken, too large or too much is told among the warnings.
    """
    view = View(tree)
    found = find_services(view)
    names = names_of(found.drafts, name)
    judged = [judge(draft, unique) for draft, unique in zip(found.drafts, names, strict=True)]
    services = tuple(service for service, _ in judged)
    told = {
        evidence.file for service in services for evidence in service.evidence if not service.compose_file
    }
    cautions = (*view.cautions, *(each for _, cautions in judged for each in cautions))
    return Scan(
        name=name,
        shape=whole_shape(services),
        services=services,
        left_out=tuple(each for each in found.left_out.values() if each.file not in told or not each.file),
        warnings=tuple(dict.fromkeys(cautions)),
        files=view.files,
        complete=view.complete,
    )
