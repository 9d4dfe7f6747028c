"""What is asked of a target."""

from typing import Any

import pytest

from services.verifier.checks import (
    WELL_KNOWN,
    AnyCheck,
    Check,
    PortCheck,
    ProcessCheck,
    ProgramCheck,
    checks_of,
)
from shared.events import LocalPlace, ProbeTarget
from shared.plan import CommandCheck, Criteria, PathCheck, ReleaseMarker

BASE = "http://127.0.0.1:9000"
PLACE = LocalPlace(lives="/data/lives", files="/data/files")
HOME = (PathCheck(path="/home"),)
SMOKE = (CommandCheck(command=("python3", "smoke.py")),)


def asked(**criteria: Any) -> list[str]:
    """Return what is asked for, with an asterisk where nobody named it and an R where the marker is held."""
    target = ProbeTarget(service="web", base_url=BASE, criteria=Criteria(**criteria))
    return [_told(check) for check in checks_of(target)]


def _told(check: AnyCheck) -> str:
    told = check.url.removeprefix(BASE)
    if isinstance(check, Check):
        told += "*" * check.well_known + "R" * (check.marker is not None)
    return told


KNOWN = [f"{path}*" for path in WELL_KNOWN]
MARKER = ReleaseMarker(header="X-Release")
AT_VERSION = ReleaseMarker(path="/version")


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        pytest.param({}, KNOWN, id="nothing is said"),
        pytest.param({"successes": 5}, KNOWN, id="nothing is said of paths"),
        pytest.param({"paths": HOME}, ["/home"], id="a path"),
        pytest.param({"tcp": (9090,)}, [*KNOWN, "tcp://127.0.0.1:9090"], id="a port beside HTTP"),
        pytest.param({"commands": SMOKE}, [*KNOWN, "python3 smoke.py"], id="a command beside HTTP"),
        pytest.param(
            {"paths": HOME, "tcp": (9090,), "commands": SMOKE},
            ["/home", "tcp://127.0.0.1:9090", "python3 smoke.py"],
            id="all of them",
        ),
        pytest.param({"release": MARKER}, [f"{path}R" for path in KNOWN], id="a marker on every answer"),
        pytest.param({"release": MARKER, "paths": HOME}, ["/homeR"], id="a marker on every path"),
        pytest.param({"release": AT_VERSION}, ["/versionR", *KNOWN], id="the path of a marker is one more"),
        pytest.param({"release": AT_VERSION, "paths": HOME}, ["/home", "/versionR"], id="and one more"),
        pytest.param(
            {"release": MARKER, "tcp": (1,)},
            [*(f"{path}R" for path in KNOWN), "tcp://127.0.0.1:1"],
            id="a marker that no path would carry",
        ),
    ],
)
def test_what_is_asked_follows_from_what_is_said(criteria: dict[str, Any], expected: list[str]) -> None:
    assert asked(**criteria) == expected


@pytest.mark.parametrize(
    ("place", "looks"),
    [
        pytest.param(None, False, id="nobody can look"),
        pytest.param(LocalPlace(lives="", files="/data/files"), False, id="it has no process"),
        pytest.param(PLACE, True, id="it has one"),
    ],
)
def test_the_process_is_looked_at_first_where_there_is_one(place: LocalPlace | None, looks: bool) -> None:
    target = ProbeTarget(service="web", base_url=BASE, criteria=Criteria(), place=place)
    first, *others = checks_of(target)
    assert isinstance(first, ProcessCheck) is looks
    assert not any(isinstance(check, ProcessCheck) for check in others)


@pytest.mark.parametrize(
    ("base_url", "host", "url"),
    [
        pytest.param("http://127.0.0.1:9000", "127.0.0.1", "tcp://127.0.0.1:5", id="IPv4"),
        pytest.param("http://[::1]:9000", "::1", "tcp://[::1]:5", id="IPv6"),
        pytest.param("https://shop.example/under", "shop.example", "tcp://shop.example:5", id="a name"),
        pytest.param(
            "http://me:secret@h.example", "h.example", "tcp://h.example:5", id="without credentials"
        ),
        pytest.param("http://[::1", "", "tcp://:5", id="what is no address"),
        pytest.param("", "", "tcp://:5", id="nothing"),
    ],
)
def test_a_port_is_one_of_the_services_own_host(base_url: str, host: str, url: str) -> None:
    check = PortCheck(ProbeTarget(service="web", base_url=base_url, criteria=Criteria()), 5)
    assert (check.host, check.url) == (host, url)


@pytest.mark.parametrize(
    ("seconds", "limit"),
    [
        pytest.param(5.0, 5.0, id="as asked"),
        pytest.param(-1.0, 0.1, id="negative"),
        pytest.param(float("nan"), 0.1, id="no number"),
        pytest.param(1e9, 120.0, id="for ever"),
    ],
)
def test_a_command_has_a_time_limit_whatever_is_asked_for(seconds: float, limit: float) -> None:
    target = ProbeTarget(service="web", base_url=BASE, criteria=Criteria())
    check = ProgramCheck(target, CommandCheck(command=("true",), timeout_seconds=seconds))
    assert check.timeout_seconds == limit


def test_a_command_is_told_as_it_would_be_typed() -> None:
    target = ProbeTarget(service="web", base_url=BASE, criteria=Criteria())
    assert ProgramCheck(target, CommandCheck(command=("sh", "-c", "a b; c"))).url == "sh -c 'a b; c'"
