"""Repositories, remotes and names that want more than to be read, against the real git."""

import asyncio
import os
import stat
from base64 import b64encode
from pathlib import Path

import pytest

from shared.faults import Refused, TryAgain
from shared.git import GitMirrors
from shared.git.program import Limits
from shared.ids import Commit
from tests.contract.git.repository import WorkingCopy


def nothing_left(folder: Path) -> bool:
    return not list(folder.glob("w*"))


async def checked_out(mirrors: GitMirrors, source: WorkingCopy, folder: Path) -> Commit:
    tip = await mirrors.fetch(source.remote, "main")
    await mirrors.checkout(source.remote, tip, folder)
    return tip


@pytest.mark.parametrize(
    "branch",
    [
        pytest.param("--upload-pack=touch pwned", id="an option"),
        pytest.param("-x", id="a short option"),
        pytest.param("main\nother", id="two lines"),
        pytest.param("main\0", id="a NUL"),
        pytest.param("a:refs/heads/b", id="a refspec"),
        pytest.param("*", id="a pattern"),
        pytest.param("../../etc", id="a way out"),
        pytest.param("a..b", id="a range"),
        pytest.param("main@{1}", id="a reflog"),
        pytest.param("x.lock", id="git's own lock"),
        pytest.param("", id="nothing"),
        pytest.param("x" * 5_000, id="a long one"),
        pytest.param("\udcff", id="half a character"),
    ],
)
async def test_a_name_that_no_branch_can_have_is_refused(
    mirrors: GitMirrors, source: WorkingCopy, branch: str
) -> None:
    source.commit({"a": b""})
    with pytest.raises(Refused, match="not a name that a branch can have"):
        await mirrors.fetch(source.remote, branch)


@pytest.mark.parametrize(
    "branch", ["$(touch pwned)", "a;touch${IFS}pwned", "`id`", "ünï/cödé", "a'b\"c", "a&b|c>d"]
)
async def test_an_odd_but_legal_branch_is_only_a_name(
    mirrors: GitMirrors, source: WorkingCopy, branch: str
) -> None:
    branch = branch.replace(" ", "${IFS}")
    commit = source.commit({"a": b""}, branch=branch)
    assert await mirrors.fetch(source.remote, branch) == commit
    assert not [path for path in mirrors.folder.parent.rglob("*") if path.name == "pwned"]


async def test_a_branch_may_become_a_folder_of_branches(mirrors: GitMirrors, source: WorkingCopy) -> None:
    source.commit({"a": b""}, branch="feature")
    await mirrors.fetch(source.remote, "feature")
    source.git("update-ref", "-d", "refs/heads/feature")
    commit = source.commit({"a": b""}, branch="feature/one")
    assert await mirrors.fetch(source.remote, "feature/one") == commit


@pytest.mark.parametrize("kind", ["blob", "tree"])
async def test_a_tag_of_no_commit_is_refused_until_it_names_one(
    mirrors: GitMirrors, source: WorkingCopy, kind: str
) -> None:
    commit = source.commit({"a": b"x"})
    source.tag(
        "v1", source.git("rev-parse", f"{commit}^{{tree}}" if kind == "tree" else f"{commit}:a"), "odd"
    )
    with pytest.raises(Refused, match=f"the tag names a {kind}"):
        await mirrors.fetch_tag(source.remote, "v1")
    source.tag("v1", commit)
    assert (await mirrors.fetch_tag(source.remote, "v1", commit)).commit == commit


async def test_tags_of_tags_are_followed_to_a_limit(mirrors: GitMirrors, source: WorkingCopy) -> None:
    named: str = source.commit({"a": b""})
    objects = [named := source.tag("v1", named, f"round {number}") for number in range(11)]
    with pytest.raises(Refused, match="the tag names a tag"):
        await mirrors.fetch_tag(source.remote, "v1")
    source.git("update-ref", "refs/tags/v2", objects[9])
    found = await mirrors.fetch_tag(source.remote, "v2")
    assert found.ids[:-1] == tuple(reversed(objects[:10]))


@pytest.mark.parametrize("tag", ["$(touch pwned)", "ünï/cödé", "a'b\"c"])
async def test_an_odd_but_legal_tag_is_only_a_name(
    mirrors: GitMirrors, source: WorkingCopy, tag: str
) -> None:
    tag = tag.replace(" ", "${IFS}")
    commit = source.commit({"a": b""})
    source.tag(tag, commit)
    assert (await mirrors.fetch_tag(source.remote, tag)).commit == commit
    assert not [path for path in mirrors.folder.parent.rglob("*") if path.name == "pwned"]


@pytest.mark.parametrize(
    "remote",
    [
        "ext::sh -c touch% /tmp/pwned",
        "ext::sh",
        "fd::17",
        "--upload-pack=touch pwned",
        "-oProxyCommand=touch pwned",
        "ssh://-oProxyCommand=touch/x",
        "ssh://-x@host/repo",
        "ssh://git:secret@host/repo",
        "git@-oProxyCommand=x:repo",
        "git@host:-x",
        "git://host/repo",
        "ftp://host/repo",
        "http://",
        "https://host",
        "https://host:99999/x",
        "https://ho st/x",
        "https://host/x\ny",
        "relative/path",
        "../up",
        "file://elsewhere/x",
        "file:///a%0ab",
        "",
        "https://host/" + "x" * 5_000,
    ],
)
async def test_a_remote_that_could_run_something_is_refused_before_git_sees_it(
    tmp_path: Path, remote: str
) -> None:
    nowhere = GitMirrors(tmp_path / "mirrors", environ={"PATH": "/nonexistent"})
    with pytest.raises(Refused, match=r"remote is empty|not a remote that Windlass reads"):
        await nowhere.fetch(remote, "main")


async def test_a_password_in_a_remote_is_neither_shown_nor_on_a_command_line(
    tmp_path: Path,
) -> None:
    spy, seen, seen_environ = tmp_path / "bin", tmp_path / "seen", tmp_path / "environ"
    spy.mkdir()
    script = spy / "git"
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >> {seen}\nenv > {seen_environ}\n'
        'case "$*" in *init*) for last; do :; done; mkdir -p "$last"; touch "$last/config";; '
        '*) echo "fatal: https://ada:hunter2@host.test/x: $*" >&2; exit 128;; esac\n'
    )
    script.chmod(0o755)
    path = f"{spy}:{os.environ['PATH']}"
    mirrors = GitMirrors(tmp_path / "mirrors", environ={"PATH": path})
    with pytest.raises(TryAgain) as caught:
        await mirrors.fetch("https://ada:hunter2@host.test/x", "main")
    assert "hunter2" not in str(caught.value)
    assert "https://host.test/x" in seen.read_text().split("\n")
    assert "hunter2" not in seen.read_text()
    assert "http.https://host.test/x.extraHeader" in seen_environ.read_text()


async def test_a_password_reaches_its_server_and_a_refusal_is_final(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    mirrors = GitMirrors(tmp_path / "mirrors")
    with pytest.raises(Refused, match="403") as caught:
        await mirrors.fetch(f"http://ada:hunter%32@127.0.0.1:{port}/x.git", "main")
    server.close()
    await server.wait_closed()
    assert "hunter" not in str(caught.value)
    assert b"Authorization: Basic " + b64encode(b"ada:hunter2") in asked[0]


async def test_git_sees_nothing_of_our_environment(
    source: WorkingCopy, mirrors: GitMirrors, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source.commit({"a": b""})
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "url./nonexistent.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "/")
    await checked_out(mirrors, source, tmp_path / "w")
    assert (tmp_path / "w" / "a").exists()


async def test_hooks_attributes_and_filters_run_nothing_and_change_nothing(
    source: WorkingCopy, mirrors: GitMirrors, tmp_path: Path
) -> None:
    pwned = tmp_path / "pwned"
    files = {
        ".gitattributes": b"* filter=evil eol=crlf ident working-tree-encoding=UTF-16 diff=evil\n",
        ".gitconfig": f"[core]\n\tfsmonitor = touch {pwned}\n".encode(),
        "text": b"$Id$\nline\n",
        ".lfsconfig": b"[lfs]\n\turl = https://evil.test\n",
        "big.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    }
    source.commit(files)
    for key in ("filter.evil.smudge", "filter.evil.process", "core.fsmonitor", "core.sshCommand"):
        source.git("config", key, f"touch {pwned}")
    source.git("config", "uploadpack.packObjectsHook", f"touch {pwned}; exec")
    source.git("config", "core.hooksPath", str(source.folder / "hooks"))
    (source.folder / "hooks").mkdir()
    for hook in ("post-checkout", "pre-upload-pack", "reference-transaction", "post-merge"):
        path = source.folder / "hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {pwned}\n")
        path.chmod(0o755)
    await checked_out(mirrors, source, tmp_path / "w")
    found = {path.name: path.read_bytes() for path in (tmp_path / "w").iterdir()}
    assert found == files
    assert not pwned.exists()


@pytest.mark.parametrize(
    "links",
    [
        pytest.param({"out": "/etc/passwd"}, id="absolute"),
        pytest.param({"out": "../outside"}, id="one up"),
        pytest.param({"deep/er/out": "../../../x"}, id="up from below"),
        pytest.param({"a/b/up": "../..", "out": "a/b/up/../x"}, id="through another link"),
        pytest.param({"out": "gone/../../x"}, id="through what is not there"),
        pytest.param({"out": ".." + "/" * 50 + "x"}, id="many slashes"),
        pytest.param({"out": "/proc/self/cwd"}, id="through the kernel"),
        pytest.param({"out": "x" * 5_000}, id="longer than a path"),
    ],
)
async def test_a_link_out_of_the_repository_is_refused_by_name(
    source: WorkingCopy, mirrors: GitMirrors, tmp_path: Path, links: dict[str, str]
) -> None:
    source.git("read-tree", "--empty")
    source.stage("100644", b"fine", "fine")
    for path, target in links.items():
        source.stage("120000", target.encode(), path)
    source.commit_staged()
    bad = list(links)[-1]
    with pytest.raises(Refused, match=f"the link '{bad}' leads"):
        await checked_out(mirrors, source, tmp_path / "w")
    assert nothing_left(tmp_path)


async def test_links_inside_programs_and_submodules_arrive_as_they_are(
    source: WorkingCopy, mirrors: GitMirrors, tmp_path: Path
) -> None:
    source.git("read-tree", "--empty")
    source.stage("100755", b"#!/bin/sh\n", "bin/run")
    source.stage("120000", b"bin/run", "run")
    source.stage("120000", b"../run", "bin/back")
    source.stage("120000", b"nothing/here", "dangling")
    source.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    source.commit_staged()
    await checked_out(mirrors, source, tmp_path / "w")
    assert stat.S_IMODE((tmp_path / "w/bin/run").stat().st_mode) & 0o111
    assert (tmp_path / "w/bin/back").resolve() == tmp_path / "w/bin/run"
    assert (tmp_path / "w/dangling").readlink() == Path("nothing/here")
    assert list((tmp_path / "w/module").iterdir()) == []


@pytest.mark.parametrize("name", [b"..", b".", b".git", b".GIT", b"a/b"])
async def test_a_tree_that_git_would_not_make_goes_no_further(
    source: WorkingCopy, mirrors: GitMirrors, tmp_path: Path, name: bytes
) -> None:
    blob = source.git("hash-object", "-w", "--stdin", given=b"x")
    raw = b"100644 " + name + b"\0" + bytes.fromhex(blob)
    tree = source.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", given=raw)
    commit = source.git("commit-tree", "-m", "x", tree)
    source.move("main", commit)
    with pytest.raises(Refused, match="fsck error"):
        await checked_out(mirrors, source, tmp_path / "w")


async def test_a_pack_beyond_the_limit_is_refused(source: WorkingCopy, tmp_path: Path) -> None:
    source.commit({"noise": os.urandom(400_000)})
    mirrors = GitMirrors(tmp_path / "mirrors", limits=Limits(pack_bytes_max=100_000))
    with pytest.raises(Refused, match="larger than the limit"):
        await mirrors.fetch(source.remote, "main")
    assert not list((tmp_path / "mirrors").rglob("tmp_pack*"))
    await mirrors.close()


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        (Limits(checkout_bytes_max=1_000), "larger than 1000 bytes"),
        (Limits(checkout_files_max=5), "more than 5 files"),
    ],
)
async def test_a_checkout_has_limits(
    source: WorkingCopy, tmp_path: Path, limits: Limits, complaint: str
) -> None:
    source.commit({f"f{number}": b"x" * 200 for number in range(10)})
    mirrors = GitMirrors(tmp_path / "mirrors", limits=limits)
    with pytest.raises(Refused, match=complaint):
        await checked_out(mirrors, source, tmp_path / "w")
    assert nothing_left(tmp_path)
    await mirrors.close()


async def test_folders_nested_beyond_sense_are_refused(
    source: WorkingCopy, mirrors: GitMirrors, tmp_path: Path
) -> None:
    source.commit({"d/" * 300 + "f": b""})
    with pytest.raises(Refused, match="folders more than"):
        await checked_out(mirrors, source, tmp_path / "w")
