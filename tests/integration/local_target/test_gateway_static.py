"""The gateway in front of a folder: what is served, what never is, and what is not sent twice."""

import os
from pathlib import Path

import aiohttp
import pytest

from services.deployer.adapters.gateway.static_files import locate
from tests.integration.local_target.gateway_site import Site, fetch

SECRET = "a secret outside the release"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A release, and around it what must not be reached from it."""
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "files-of-others").mkdir()
    (tmp_path / "files-of-others" / "secret.txt").write_text(SECRET)
    root = tmp_path / "files"
    (root / "docs" / "empty").mkdir(parents=True)
    (root / "index.html").write_text("<h1>home</h1>")
    (root / "docs" / "index.html").write_text("<h1>docs</h1>")
    (root / "app.js").write_text("0123456789")
    (root / "a b%ä.txt").write_text("odd")
    (root / "app.js.gz").write_bytes(b"packed")
    (root / "alias.js").symlink_to("app.js")
    (root / "out.txt").symlink_to("../secret.txt")
    (root / "absolute.txt").symlink_to(tmp_path / "secret.txt")
    (root / "outside").symlink_to("../files-of-others")
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nowhere")
    (root / "escape").mkdir()
    (root / "escape" / "index.html").symlink_to("../../secret.txt")
    os.mkfifo(root / "fifo")
    return root


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/", "<h1>home</h1>", "text/html; charset=utf-8"),
        ("/index.html?v=1", "<h1>home</h1>", "text/html; charset=utf-8"),
        ("/docs/", "<h1>docs</h1>", "text/html; charset=utf-8"),
        ("/app.js", "0123456789", "text/javascript; charset=utf-8"),
        ("/alias.js", "0123456789", "text/javascript; charset=utf-8"),
        ("/a%20b%25%C3%A4.txt", "odd", "text/plain; charset=utf-8"),
        ("/app.js.gz", "packed", "application/gzip"),
    ],
)
async def test_a_file_of_the_release_is_served_as_what_it_is(
    site: Site, http: aiohttp.ClientSession, root: Path, path: str, body: str, kind: str
) -> None:
    await site.serve_folder(root)
    answer = await fetch(http, site.url + path)
    assert (answer.status, answer.body.decode(), answer.headers["Content-Type"]) == (200, body, kind)
    assert answer.release == "r1"
    head = await fetch(http, site.url + path, "HEAD")
    assert (head.status, head.headers["Content-Length"], head.body) == (200, str(len(body)), b"")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/docs/empty/",
        "/docs/empty",
        "/app.js/",
        "/app.js/x",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/docs/../../secret.txt",
        "/docs/..%2f..%2fsecret.txt",
        "//../secret.txt",
        "/..",
        "/%00",
        "/out.txt",
        "/absolute.txt",
        "/outside/secret.txt",
        "/outside/",
        "/escape/",
        "/loop",
        "/dangling",
        "/fifo",
        "/" + "a" * 5000,
        "/" + "a/" * 2000,
    ],
)
async def test_what_is_not_in_the_release_is_not_found(
    site: Site, http: aiohttp.ClientSession, root: Path, path: str
) -> None:
    await site.serve_folder(root)
    answer = await fetch(http, site.url + path)
    assert (answer.status, answer.release) == (404, "r1")
    assert SECRET not in answer.body.decode()
    assert str(root.parent) not in answer.body.decode()


async def test_a_folder_is_asked_for_with_a_slash(
    site: Site, http: aiohttp.ClientSession, root: Path
) -> None:
    await site.serve_folder(root)
    answer = await fetch(http, f"{site.url}/docs?q=%20")
    assert (answer.status, answer.headers["Location"]) == (308, "/docs/?q=%20")
    answer = await fetch(http, f"{site.url}//docs")
    assert answer.headers["Location"] == "/docs/"


async def test_what_a_client_has_is_not_sent_again_until_the_release_changes(
    site: Site, http: aiohttp.ClientSession, root: Path
) -> None:
    await site.serve_folder(root, "r1")
    first = await fetch(http, f"{site.url}/app.js")
    known = {"If-None-Match": f'"other", W/{first.headers["ETag"]}', "If-Modified-Since": "now"}
    again = await fetch(http, f"{site.url}/app.js", headers=known)
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    await site.serve_folder(root, "r2")
    changed = await fetch(http, f"{site.url}/app.js", headers=known)
    assert (changed.status, changed.body, changed.release) == (200, b"0123456789", "r2")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param("bytes=0-1", (206, b"01", "bytes 0-1/10"), id="the beginning"),
        pytest.param("bytes=7-", (206, b"789", "bytes 7-9/10"), id="the rest"),
        pytest.param("bytes=-2", (206, b"89", "bytes 8-9/10"), id="the end"),
        pytest.param("bytes=8-100", (206, b"89", "bytes 8-9/10"), id="past the end"),
        pytest.param("bytes=10-", (416, b"", "bytes */10"), id="outside"),
        pytest.param("bytes=0-1,3-4", (200, b"0123456789", None), id="several"),
        pytest.param("bytes=5-1", (200, b"0123456789", None), id="backwards"),
        pytest.param("lines=1-2", (200, b"0123456789", None), id="not bytes"),
    ],
)
async def test_a_part_of_a_file_can_be_asked_for(
    site: Site, http: aiohttp.ClientSession, root: Path, asked: str, expected: tuple[int, bytes, str | None]
) -> None:
    await site.serve_folder(root)
    answer = await fetch(http, f"{site.url}/app.js", headers={"Range": asked})
    assert (answer.status, answer.body, answer.headers.get("Content-Range")) == expected


async def test_a_part_of_another_releases_file_is_never_mixed_in(
    site: Site, http: aiohttp.ClientSession, root: Path
) -> None:
    await site.serve_folder(root, "r2")
    resumed = {"Range": "bytes=5-", "If-Range": '"r1"'}
    answer = await fetch(http, f"{site.url}/app.js", headers=resumed)
    assert (answer.status, answer.body) == (200, b"0123456789")


async def test_a_static_site_is_only_read(site: Site, http: aiohttp.ClientSession, root: Path) -> None:
    await site.serve_folder(root)
    answer = await fetch(http, site.url, "POST", data=b"x")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


async def test_a_release_whose_folder_is_gone_is_not_found(
    site: Site, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    await site.serve_folder(tmp_path / "gone")
    assert (await fetch(http, site.url)).status == 404


def test_a_path_with_no_meaning_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "index.html").touch()
    assert locate(tmp_path, "/") == tmp_path / "index.html"
    assert locate(tmp_path, "/./") is None
    assert locate(tmp_path, "/%80") is None
