"""Kafka's jars are fetched once, whole or not at all. Maven is a program that does what a test says."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.kafka import KafkaError
from deploy.kafka.jars import prepare

MAVEN = """#!/bin/sh
echo called >> '{calls}'
for argument in "$@"; do case "$argument" in -DoutputDirectory=*) out="${{argument#*=}}" ;; esac; done
{then}
"""
FETCHES = 'echo jar > "$out/kafka_2.13-0.jar"'
FAILS = 'echo half > "$out/half.jar"; echo "[ERROR] no way there"; exit 1'


class Maven:
    """A stand-in for `mvn`, in front of everything else on PATH."""

    def __init__(self, folder: Path) -> None:
        self._program = folder / "mvn"
        self._calls = folder / "calls"
        folder.mkdir()
        self._calls.touch()

    def does(self, then: str) -> None:
        self._program.write_text(MAVEN.format(calls=self._calls, then=then))
        self._program.chmod(self._program.stat().st_mode | stat.S_IXUSR)

    @property
    def calls(self) -> int:
        return len(self._calls.read_text().splitlines())


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maven:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    return Maven(tmp_path / "bin")


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.rglob("*.jar"))


def test_those_who_need_them_at_once_fetch_them_once(maven: Maven, tmp_path: Path) -> None:
    maven.does(FETCHES)
    with ThreadPoolExecutor(3) as beside:
        found = set(beside.map(lambda _: prepare(tmp_path / "libs"), range(3)))
    (java,) = found
    assert (maven.calls, names(java.jars)) == (1, ["kafka_2.13-0.jar"])


def test_without_an_archive_of_classes_kafka_runs_all_the_same(maven: Maven, tmp_path: Path) -> None:
    maven.does(FETCHES)  # no jar that Java could read: the node that makes the archive does not start
    assert prepare(tmp_path / "libs").archive is None
    assert not list((tmp_path / "libs").glob("*.part-*"))


def test_what_maven_left_unfinished_is_not_used(maven: Maven, tmp_path: Path) -> None:
    maven.does(FAILS)
    with pytest.raises(KafkaError, match="no way there"):
        prepare(tmp_path / "libs")
    assert (maven.calls, names(tmp_path / "libs")) == (2, [])
    maven.does(FETCHES)
    assert names(prepare(tmp_path / "libs").jars) == ["kafka_2.13-0.jar"]


def test_without_maven_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "home" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    with pytest.raises(KafkaError, match="apt install maven"):
        prepare(tmp_path / "libs")
    monkeypatch.delenv("JAVA_HOME")
    with pytest.raises(KafkaError, match="apt install openjdk"):
        prepare(tmp_path / "libs")
