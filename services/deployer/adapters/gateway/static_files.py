"""Serving the folder of a static release.

Every file of a release is written with the same modification time, so that time says nothing about
content. What tells one release's file from another's is an entity tag made from the release; there
is no `Last-Modified`.
"""

import mimetypes
import os
import stat
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from aiohttp import web

from services.deployer.adapters.gateway.problem import markers, problem
from services.deployer.adapters.gateway.route import Route

CHUNK_BYTES = 256 * 1024
INDEX = "index.html"
METHODS = ("GET", "HEAD")
ENCODINGS = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


@dataclass(frozen=True, slots=True)
class Moved:
    """It is a folder and its address lacks the slash that relative links need."""


def locate(root: Path, raw_path: str) -> Path | Moved | None:
    """Return the file that a path stands for; never one outside `root`, whatever links say."""
    parts = [unquote(part) for part in raw_path.split("/") if part]
    if any(part in {".", ".."} or "/" in part or "\0" in part for part in parts):
        return None
    try:
        real_root = root.resolve(strict=True)
        found = real_root.joinpath(*parts).resolve(strict=True)
        if found.is_dir():
            if not raw_path.endswith("/"):
                return Moved() if (found / INDEX).is_file() else None
            found = (found / INDEX).resolve(strict=True)
        elif raw_path.endswith("/"):
            return None
    except (OSError, RuntimeError):  # absent, unreadable, too long, a loop of links
        return None
    return found if found.is_relative_to(real_root) else None


async def serve(route: Route, request: web.BaseRequest) -> web.StreamResponse:
    """Answer one request from the release's folder."""
    if request.method not in METHODS:
        refusal = problem(HTTPStatus.METHOD_NOT_ALLOWED, "A static site is only read.", route)
        refusal.headers["Allow"] = ", ".join(METHODS)
        return refusal
    raw_path = request.rel_url.raw_path
    found = locate(Path(route.root), raw_path)
    if isinstance(found, Moved):
        # One slash at the beginning: two would name another host.
        location = f"/{raw_path.strip('/')}/" + (f"?{q}" if (q := request.rel_url.raw_query_string) else "")
        moved = {**markers(route), "Location": location}
        return web.Response(status=HTTPStatus.PERMANENT_REDIRECT, headers=moved)
    file = _open(found) if found else None
    if found is None or file is None:
        return problem(HTTPStatus.NOT_FOUND, "There is no such page in this release.", route)
    with file:
        return await _send(file, _headers(route, found), request)


def _open(path: Path) -> BinaryIO | None:
    """Open a regular file; anything else could make us wait for ever."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return open(descriptor, "rb", buffering=0)  # noqa: PTH123 - the caller closes it


def _headers(route: Route, path: Path) -> dict[str, str]:
    kind, encoding = mimetypes.guess_type(path.name)
    content_type = ENCODINGS.get(encoding or "", kind) or "application/octet-stream"
    if content_type.startswith("text/"):
        content_type += "; charset=utf-8"
    return {
        **markers(route),
        "Content-Type": content_type,
        "Cache-Control": "no-cache",  # kept, but asked for again: the tag answers that cheaply
        "Accept-Ranges": "bytes",
        "ETag": f'"{route.release}"',
    }


async def _send(file: BinaryIO, headers: dict[str, str], request: web.BaseRequest) -> web.StreamResponse:
    size = os.fstat(file.fileno()).st_size
    if _is_known(request, headers["ETag"]):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    wanted = _wanted(request, headers["ETag"], size)
    if wanted is None:
        headers["Content-Range"] = f"bytes */{size}"
        return web.Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    response = web.StreamResponse(headers=headers)
    if len(wanted) < size:
        response.set_status(HTTPStatus.PARTIAL_CONTENT)
        response.headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    response.content_length = len(wanted)
    await response.prepare(request)
    if request.method == "GET":
        await _copy(file, wanted, response)
    return response


def _is_known(request: web.BaseRequest, tag: str) -> bool:
    """Tell whether the client has just this release's file."""
    offered = ",".join(request.headers.getall("If-None-Match", ())).split(",")
    return not {"*", tag}.isdisjoint(each.strip().removeprefix("W/") for each in offered)


def _wanted(request: web.BaseRequest, tag: str, size: int) -> range | None:
    """Return which bytes to send; None when the range asked for lies outside the file."""
    if request.headers.get("If-Range", tag) != tag:
        return range(size)
    try:
        asked = request.http_range
    except ValueError:  # several ranges, or nonsense: RFC 9110 lets us send everything
        return range(size)
    if asked.start is None and asked.stop is None:
        return range(size)
    return range(*asked.indices(size)) or None


async def _copy(file: BinaryIO, wanted: range, response: web.StreamResponse) -> None:
    file.seek(wanted.start)
    left = len(wanted)
    while left and (chunk := file.read(min(left, CHUNK_BYTES))):
        await response.write(chunk)
        left -= len(chunk)
