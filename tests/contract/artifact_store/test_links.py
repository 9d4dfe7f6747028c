"""Whatever links an archive holds: those that are let through never lead out."""

import tarfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.artifacts.archive import LIMITS, link_problem
from shared.artifacts.unpack import unpack

FOLDERS = ("a", "a/a")
PLACES = st.sampled_from(["b", "c", "a/b", "a/c", "a/a/b", "a/a/c"])
TARGETS = st.lists(st.sampled_from(["a", "b", "c", "..", ".."]), min_size=1, max_size=6).map("/".join)
LINKS = st.dictionaries(PLACES, TARGETS, min_size=1)


def archive(links: dict[str, str]) -> BytesIO:
    into = BytesIO()
    with tarfile.open(fileobj=into, mode="w:gz", format=tarfile.GNU_FORMAT) as tar:
        for name in FOLDERS:
            folder = tarfile.TarInfo(name)
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
        for name, target in links.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    return into


def allowed(links: dict[str, str]) -> dict[str, str]:
    return {name: target for name, target in links.items() if not link_problem(name, target, LIMITS)}


@given(links=LINKS.map(allowed))
@example(links={"a/a/b": "../..", "b": "a/a/b/a"})
@settings(max_examples=150, deadline=None)
def test_no_combination_of_allowed_links_leads_out(links: dict[str, str]) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "in/release"
        unpack(archive(links), root)
        for name in links:
            with suppress(RuntimeError):  # links in a circle lead nowhere
                assert (root / name).resolve().is_relative_to(root), links
