"""`compose.yaml` and the Dockerfile, as far as can be said of them without an engine: what is in them is
what the services need, and nothing is open, rooted or unpinned by an oversight.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
import yaml

from deploy.images import password, ready, setup
from services.distributed.settings import DistributedSettings
from services.embedded.app import SERVICES
from shared.bus.kafka.connection import MESSAGE_BYTES_MAX

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = (ROOT / "deploy/images/windlass/Dockerfile").read_text("utf-8")
IMAGE = f"windlass:{tomllib.loads((ROOT / 'pyproject.toml').read_text('utf-8'))['project']['version']}"
ONCE = {"password", "setup"}
SERVERS = {"postgres", "kafka"}
USES_DATA = {"builder", "deployer", "synthesizer"}

_VARIABLE = re.compile(r"\$\{[A-Z_]+:-(?P<default>[^{}]*)\}")  # the innermost
_SECONDS = {"s": 1, "m": 60}


def _read() -> Mapping[str, Any]:
    """Return the file with every variable at its default; one without a default is left, and seen."""
    text = (ROOT / "compose.yaml").read_text("utf-8")
    while (settled := _VARIABLE.sub(lambda found: found["default"], text)) != text:
        text = settled
    document: Mapping[str, Any] = yaml.safe_load(text)
    return document


COMPOSE = _read()
CONTAINERS: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
every_container = pytest.mark.parametrize("name", CONTAINERS)
every_service = pytest.mark.parametrize("name", SERVICES)


def seconds(duration: str) -> float:
    return float(duration[:-1]) * _SECONDS[duration[-1]]


def volumes(name: str) -> dict[str, tuple[str, bool]]:
    """Return where each volume of a container is, and whether it is written to, by the volume's name."""
    found = {}
    for volume in CONTAINERS[name].get("volumes", ()):
        if isinstance(volume, str):
            source, target, *mode = volume.split(":")
            found[source] = (target, mode != ["ro"])
        else:
            found[volume["source"]] = (volume["target"], not volume["read_only"])
    return found


def dockerfile_commands(instruction: str) -> list[str]:
    """Return the arguments of each such instruction, on one line each."""
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    return re.findall(rf"^{instruction} (.*)$", joined, re.MULTILINE)


def test_nothing_has_to_be_set_before_the_first_start() -> None:
    assert "$" not in (yaml.safe_dump(COMPOSE))


@every_service
def test_each_service_is_a_container_of_its_own_that_is_asked_whether_it_is_ready(name: str) -> None:
    container = CONTAINERS[name]
    port = container["environment"].get("WINDLASS_PORT", str(ready.USUAL_PORT))
    assert container["command"] == ["windlass", "serve", name]
    assert container["healthcheck"]["test"] == ["CMD", "python", "-m", ready.__name__, port]


@every_service
def test_each_service_is_configured_as_it_understands(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, value in CONTAINERS[name]["environment"].items():
        monkeypatch.setenv(variable, value)
    settings = DistributedSettings.read()
    assert settings.replica == "first"
    assert settings.host == "0.0.0.0"


def test_services_that_share_a_network_listen_on_ports_of_their_own() -> None:
    together = [each for each in CONTAINERS.values() if each.get("network_mode") == "service:targets"]
    ports = [each["environment"].get("WINDLASS_PORT", "8400") for each in together]
    assert len(ports) == len(set(ports)) == 2


def test_the_verifier_asks_where_the_deployer_starts_what_is_verified() -> None:
    assert CONTAINERS["verifier"]["network_mode"] == CONTAINERS["deployer"]["network_mode"]


@every_service
def test_each_service_waits_for_servers_tables_and_topics(name: str) -> None:
    awaited = CONTAINERS[name]["depends_on"]
    assert awaited["setup"]["condition"] == "service_completed_successfully"
    assert {awaited[server]["condition"] for server in SERVERS} == {"service_healthy"}


@every_service
def test_each_service_has_time_to_end_in_order(name: str) -> None:
    shutdown = DistributedSettings.model_fields["shutdown_seconds"].default
    assert seconds(CONTAINERS[name]["stop_grace_period"]) >= shutdown + 5


@every_container
def test_images_are_pinned(name: str) -> None:
    image = CONTAINERS[name]["image"]
    assert image == IMAGE if name not in SERVERS else re.search(r":\d+\.\d+[\w.-]*$", image)


def test_the_image_is_built_once() -> None:
    assert [name for name, each in CONTAINERS.items() if "build" in each] == ["password"]


def test_the_broker_is_the_one_that_tests_run_on() -> None:
    pom = ET.parse(ROOT / "deploy/kafka/pom.xml")
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    versions = {
        dependency.findtext("m:artifactId", "", space): dependency.findtext("m:version", "", space)
        for dependency in pom.iterfind(".//m:dependency", space)
    }
    assert CONTAINERS["kafka"]["image"] == f"apache/kafka:{versions['kafka_2.13']}"


def test_the_broker_takes_what_the_services_send() -> None:
    environment = CONTAINERS["kafka"]["environment"]
    assert int(environment["KAFKA_MESSAGE_MAX_BYTES"]) >= MESSAGE_BYTES_MAX
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert environment["KAFKA_LOG_FLUSH_INTERVAL_MESSAGES"] == "1"


@every_container
def test_nothing_runs_as_root_or_could_become_it(name: str) -> None:
    container = CONTAINERS[name]
    user, _, group = container["user"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "pid", "ipc", "devices"} & set(container)


@every_container
def test_root_file_systems_are_read_only_but_the_brokers(name: str) -> None:
    assert CONTAINERS[name]["read_only"] is (name != "kafka")


@every_container
def test_what_is_published_is_published_on_loopback(name: str) -> None:
    ports = CONTAINERS[name].get("ports", [])
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert bool(ports) is (name in {"ingest", "status", "targets"})
    assert CONTAINERS[name].get("network_mode") != "host"


def test_no_way_leads_from_the_servers_outside() -> None:
    assert COMPOSE["networks"]["servers"] == {"internal": True}
    for name in SERVERS:
        assert CONTAINERS[name]["networks"] == ["servers"]


@every_container
def test_no_container_takes_the_whole_machine(name: str) -> None:
    container = CONTAINERS[name]
    assert re.fullmatch(r"\d+[mg]", container["mem_limit"])
    assert container["pids_limit"] > 0
    assert container["logging"]["options"].keys() == {"max-size", "max-file"}


@every_container
def test_what_ends_by_itself_is_started_again(name: str) -> None:
    assert CONTAINERS[name]["restart"] == ("no" if name in ONCE else "unless-stopped")


@every_container
def test_no_password_stands_in_the_file(name: str) -> None:
    environment = CONTAINERS[name].get("environment", {})
    secret = {key for key in environment if re.search("PASSWORD|SECRET|TOKEN", key)}
    assert all(key.endswith("_FILE") for key in secret)
    assert not [value for value in environment.values() if urlsplit(str(value)).password]


def test_the_passwords_place_is_the_same_for_all() -> None:
    target, _ = volumes("password")["secrets"]
    postgres = CONTAINERS["postgres"]
    assert postgres["environment"]["POSTGRES_PASSWORD_FILE"] == f"{target}/{password.PASSWORD_FILE}"
    assert postgres["group_add"] == [CONTAINERS["password"]["user"].partition(":")[2]]
    for name in SERVICES:
        assert volumes(name)["secrets"] == (target, False)
        assert CONTAINERS[name]["environment"]["PGPASSFILE"] == f"{target}/{password.PGPASS_FILE}"


def test_the_database_is_the_one_that_is_made() -> None:
    made = CONTAINERS["postgres"]["environment"]
    asked = urlsplit(CONTAINERS["status"]["environment"]["WINDLASS_DATABASE"])
    assert (asked.hostname, asked.username, asked.path) == (
        "postgres",
        made["POSTGRES_USER"],
        f"/{made['POSTGRES_DB']}",
    )
    assert "--locale=C.UTF-8" in made["POSTGRES_INITDB_ARGS"]


@every_service
def test_only_those_that_read_the_work_have_the_data(name: str) -> None:
    assert ("data" in volumes(name)) is (name in USES_DATA)


def test_the_keys_are_not_where_builds_and_steps_run() -> None:
    holders = {key: {n for n in CONTAINERS if key in volumes(n)} for key in ("ingest", "owner")}
    assert holders == {"ingest": {"ingest"}, "owner": {"setup", "status"}}
    assert volumes("status")["owner"] == (volumes("setup")["owner"][0], False)


def test_the_owners_commands_find_ingest_where_it_is() -> None:
    asked = urlsplit(setup.INGEST_URL)
    assert asked.hostname in CONTAINERS
    assert asked.port == ready.USUAL_PORT
    assert urlsplit(setup.STATUS_URL).port == ready.USUAL_PORT


@every_container
def test_volumes_are_declared(name: str) -> None:
    assert set(volumes(name)) <= set(COMPOSE["volumes"])


def test_the_image_has_the_release_and_a_pinned_beginning() -> None:
    assert f'image.version="{IMAGE.partition(":")[2]}"' in DOCKERFILE
    assert dockerfile_commands("ARG")[0].startswith("PYTHON_IMAGE=python:3.11.")
    assert set(dockerfile_commands("FROM")) == {"${PYTHON_IMAGE} AS build", "${PYTHON_IMAGE}"}


def test_nothing_is_installed_that_is_not_in_a_lock() -> None:
    commands = [part for run in dockerfile_commands("RUN") for part in run.split("&&")]
    installs = [words for part in commands if "pip" in part and (words := part.partition(" install ")[2])]
    locked = [words for words in installs if "--require-hashes" in words]
    ours = [words for words in installs if words.split() == ["--no-deps", "/tools/wheels/*.whl"]]
    assert len(locked) == 2
    assert len(ours) == 1
    assert len(installs) == len(locked) + len(ours)
    assert any("deploy/locks/runtime.txt" in words for words in locked)


def test_the_image_is_nobodys_who_could_do_harm() -> None:
    last = DOCKERFILE.rpartition("FROM ")[2]
    user = re.findall(r"^USER (.*)$", last, re.MULTILINE)[-1]
    assert user == CONTAINERS["status"]["user"]
    assert "HEALTHCHECK" in last
    assert not re.search(r"gcc|build-essential|curl|wget", DOCKERFILE)


def test_the_context_has_only_what_is_named() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] != "#"]
    assert rules[0] == "*"
    assert {rule for rule in rules if rule.startswith("!")} == {
        f"!{name}" for name in ("LICENSE", "README.md", "pyproject.toml", "deploy", "services", "shared")
    }
