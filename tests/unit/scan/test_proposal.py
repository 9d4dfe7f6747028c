"""The pipeline that is proposed from a scan: it validates, and says what it means whatever was found."""

import shlex
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.language.check import check
from shared.language.source_map import SOURCE_BYTES_MAX
from shared.plan import Problem
from shared.scan import Caution, Evidence, MemoryTree, Scan, Service
from shared.scan.health import health_paths
from shared.scan.proposal import Proposal, propose
from shared.scan.summary import found
from shared.tree import Entry
from tests.unit.scan import corpus

HOSTILE = [
    'a"b', "a'b", "a: b", "a #b", "${{ vars.x }}", "$${{ x }}", "- a", "{a}", "[a", "&a", "*a", "!a", "%a",
    "a\\b", "null", "1e3", "~", "a\tb", "a\nb: c", "\u2028x", "é😀", "\x1b[2J", "\ud800", "a,b", " a ",
    "a$(id)b",
]  # fmt: skip
SERVER = Service(
    name="api",
    root="api",
    shape="server",
    language="python",
    commands_in="api",
    install_commands=("make install",),
    start_command="python3 server.py",
    port_given="variable",
    step="LOCAL:SERVICE:DEPLOY",
)
SITE = Service(name="web", root="web", shape="static", output="web", step="LOCAL:STATIC:DEPLOY")


def scan_of(*services: Service, warnings: tuple[Caution, ...] = ()) -> Scan:
    return Scan(name="shop", shape="multi", services=services, warnings=warnings)


def problems_of(text: str) -> list[Problem]:
    return [each for each in check("p.yaml", text.encode()).problems if each.rule != "unsupported"]


def pipeline_of(text: str) -> dict[str, Any]:
    loaded = yaml.safe_load(text)["pipeline"]
    assert isinstance(loaded, dict)
    return loaded


def meant(value: str) -> str:
    """Return what a value is once its expressions are resolved, of which it has none."""
    return value.replace("$${{", "${{")


def proposed(files: dict[str, Any]) -> tuple[Scan, Proposal]:
    scan = corpus.scanned(files)
    tree = MemoryTree({path: content or "" for path, content in files.items()})
    return scan, propose(scan, "repo", health=health_paths(tree, scan))


@pytest.mark.parametrize("name", corpus.names())
def test_what_is_proposed_for_any_repository_validates(name: str) -> None:
    scan, proposal = proposed(corpus.load(name)["files"])
    assert problems_of(proposal.text) == []
    local = [service.name for service in scan.services if service.step]
    if local:
        assert list(proposal.deployed) == local
    told = {*proposal.deployed, *(each.name for each in proposal.undone)}
    assert told == {service.name for service in scan.services}
    uncommented = proposal.text.replace("#| ", "")
    assert problems_of(uncommented) == []
    steps = pipeline_of(proposal.text)["steps"]
    assert len(steps) == max(1, len(proposal.deployed))
    if not proposal.deployed:
        assert steps[0]["params"]["commands"][-1] == "exit 1"


def test_two_services_are_one_pipeline_with_two_artifacts_side_by_side() -> None:
    pipeline = pipeline_of(propose(scan_of(SERVER, SITE), "shop").text)
    assert pipeline["artifacts"] == {
        "api": {
            "type": "BUNDLE:BUILD",
            "rebuild_when_changed": ["/api"],
            "params": {"build_commands": ["cd api", "make install"], "file_path": "/api"},
        },
        "web": {"type": "BUNDLE:BUILD", "rebuild_when_changed": ["/web"], "params": {"file_path": "/web"}},
    }
    first, second = pipeline["steps"]
    assert (first["type"], first["params"]["command"]) == ("LOCAL:SERVICE:DEPLOY", ["python3", "server.py"])
    assert (second["type"], second["goes_after"]) == ("LOCAL:STATIC:DEPLOY", [])


def test_every_service_has_its_own_port_in_every_stage_and_another_pipeline_others() -> None:
    stages = pipeline_of(propose(scan_of(SERVER, SITE), "shop").text)["stages"]
    ports = [port for stage in stages for port in stage["vars"].values()]
    assert [stage["name"] for stage in stages] == ["staging", "production"]
    assert len(set(ports)) == 4
    assert all(20_000 <= port < 30_000 for port in ports)
    others = pipeline_of(propose(scan_of(SERVER, SITE), "blog").text)["stages"]
    assert not set(ports) & {port for stage in others for port in stage["vars"].values()}
    assert propose(scan_of(SERVER), "shop").text == propose(scan_of(SERVER), "shop").text


def test_each_part_says_which_file_it_comes_from_and_what_to_beware_of() -> None:
    service = replace(
        SERVER,
        evidence=(
            Evidence("install_commands", "api/Makefile"),
            Evidence("start_command", "api/Procfile", "web (line 3)"),
        ),
    )
    warning = Caution("odd", "it is odd", service="api")
    note = Caution("fine", "it is fine", service="api", severity="note")
    text = propose(scan_of(service, warnings=(warning, note, Caution("all", "all is odd"))), "shop").text
    assert "[api/Makefile]" in text
    assert "[api/Procfile: web (line 3)]" in text
    assert "# Beware: it is odd" in text
    assert "# Beware: all is odd" in text
    assert "it is fine" not in text


def test_what_builds_it_from_outside_its_folder_decides_too_whether_it_is_built_again() -> None:
    service = replace(
        SERVER, evidence=(Evidence("start_command", "Procfile"), Evidence("language", "x.toml"))
    )
    artifact = pipeline_of(propose(scan_of(service), "shop").text)["artifacts"]["api"]
    assert artifact["rebuild_when_changed"] == ["/api", "/Procfile"]
    of_workspace = replace(SERVER, root="apps/api", commands_in=".")
    artifact = pipeline_of(propose(scan_of(of_workspace), "shop").text)["artifacts"]["api"]
    assert "rebuild_when_changed" not in artifact
    assert artifact["params"]["build_commands"] == ["make install"]


def test_containers_alone_become_a_pipeline_to_an_account_that_says_what_is_to_be_filled_in() -> None:
    service = Service("api", "api", "existing_docker", dockerfile="api/Dockerfile", step_reason="so it is")
    proposal = propose(scan_of(service), "shop")
    assert proposal.needs_account
    assert "fill in the accounts" in proposal.text
    pipeline = pipeline_of(proposal.text)
    assert pipeline["artifacts"]["api"]["params"] == {"dockerfile": "/api/Dockerfile", "build_root": "/api"}
    assert pipeline["steps"][0]["type"] == "ECS:DEPLOY"
    assert {each.rule for each in check("p", proposal.text.encode()).problems} == {"unsupported"}


def test_a_container_beside_a_server_is_left_out_and_named() -> None:
    container = Service("db", "db", "existing_docker", dockerfile="db/Dockerfile", step_reason="so it is")
    proposal = propose(scan_of(SERVER, container), "shop")
    assert (proposal.deployed, proposal.needs_account) == (("api",), False)
    assert [(each.name, each.root, each.reason) for each in proposal.undone] == [("db", "db", "so it is")]
    assert "# - db, in /db: so it is" in proposal.text


@pytest.mark.parametrize("odd", HOSTILE)
def test_names_mean_what_they_say_wherever_they_stand(odd: str) -> None:
    words = ["sh", "-c", odd.replace("\ud800", ""), odd.replace("\ud800", "")]
    service = replace(
        SERVER,
        root=odd,
        commands_in=odd,
        framework=odd,
        install_commands=(f"make {odd}",),
        start_command=shlex.join(words),
        evidence=(Evidence("start_command", odd, odd), Evidence("framework", f"{odd}\n  steps: []")),
    )
    warning = Caution("odd", f"{odd}\nversion: 2", service="api")
    proposal = propose(scan_of(service, SITE, warnings=(warning,)), "shop")
    assert problems_of(proposal.text) == []
    assert all(line.isprintable() for line in proposal.text.split("\n"))
    pipeline = pipeline_of(proposal.text)
    assert "web" in proposal.deployed
    if "api" in proposal.deployed:
        assert [meant(word) for word in pipeline["steps"][0]["params"]["command"]] == words
        params = pipeline["artifacts"]["api"]["params"]
        assert meant(params["file_path"]) == f"/{odd}"
        assert shlex.split(meant(params["build_commands"][0]))[1].removeprefix("./") == odd
        assert meant(params["build_commands"][1]) == f"make {odd}"
    else:
        assert "pipeline file cannot say how" in proposal.undone[0].reason
        assert not odd.isprintable() or "\\" in odd or odd.startswith("-")


TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)


@settings(max_examples=60, deadline=None)
@given(root=TEXTS, command=TEXTS, start=TEXTS, file=TEXTS, reason=TEXTS, branch=TEXTS)
def test_nothing_that_a_repository_holds_makes_a_proposal_that_does_not_validate(
    root: str, command: str, start: str, file: str, reason: str, branch: str
) -> None:
    service = replace(
        SERVER,
        root=root,
        commands_in=root,
        build_commands=(command,),
        start_command=start,
        evidence=(Evidence("build_commands", file, file),),
    )
    nearly = replace(
        SERVER, name="nearly", root=root, start_command=start, step="", step_reason=reason or "-"
    )
    proposal = propose(scan_of(service, nearly, SITE), "shop", branch)
    assert problems_of(proposal.text) == []
    pipeline = pipeline_of(proposal.text)
    assert pipeline["tracks"] in {branch, "main"}
    assert "web" in proposal.deployed
    if "api" in proposal.deployed:
        assert meant(pipeline["artifacts"]["api"]["params"]["build_commands"][-1]) == command


@pytest.mark.parametrize("branch", ["!main", "*", "", "a\nb", "refs/heads/x", "${{ x }}", "x" * 5000])
def test_a_branch_that_cannot_be_tracked_by_its_name_is_main(branch: str) -> None:
    proposal = propose(scan_of(SITE), "shop", branch)
    assert pipeline_of(proposal.text)["tracks"] == "main"
    assert proposal.deployed == ("web",)


def test_a_branch_of_another_name_is_tracked() -> None:
    assert pipeline_of(propose(scan_of(SITE), "shop", "größe/1.x").text)["tracks"] == "größe/1.x"


def test_more_than_fits_into_a_file_is_left_out_and_told() -> None:
    many = [replace(SITE, name=f"web-{n}", output=f"web{n}", root=f"web{n}") for n in range(100)]
    proposal = propose(scan_of(*many), "shop")
    assert len(proposal.deployed) == 40
    assert len(proposal.undone) == 60
    assert problems_of(proposal.text) == []
    large = [replace(each, build_commands=("x" * 20_000,)) for each in many[:20]]
    proposal = propose(scan_of(*large), "shop")
    assert proposal.deployed == ()
    assert "too much for one file" in proposal.undone[0].reason
    assert len(proposal.text.encode()) < SOURCE_BYTES_MAX
    assert problems_of(proposal.text) == []


def test_what_the_tree_around_the_file_forbids_is_left_out() -> None:
    entries = {"/api": Entry("api", "submodule", "0" * 40), "/web": Entry("web", "folder", "0" * 40)}
    proposal = propose(scan_of(SERVER, SITE), "shop", entries=entries)
    assert proposal.deployed == ("web",)
    assert "is a submodule" in proposal.undone[0].reason


def test_a_start_command_that_is_none_leaves_the_service_out() -> None:
    proposal = propose(scan_of(replace(SERVER, start_command="sh -c 'x"), SITE), "shop")
    assert proposal.deployed == ("web",)
    assert "cannot be taken apart" in proposal.undone[0].reason


HEALTH = [
    pytest.param({"api/main.py": "@app.get('/healthz')"}, "/healthz", id="a route"),
    pytest.param({"api/src/x.js": "\n\nr.get(`/api/health`, f)"}, "/api/health", id="deeper, with a prefix"),
    pytest.param({"api/a/b/c/d/x.js": "get('/health')"}, None, id="too deep"),
    pytest.param({"api/node_modules/x.js": "get('/health')"}, None, id="not the service's own"),
    pytest.param({"web/main.py": "get('/health')"}, None, id="another folder's"),
    pytest.param({"api/notes.md": "'/health'"}, None, id="no program"),
    pytest.param({"api/routes.rb": "get 'up' => 'rails/health#show'"}, "/up", id="Rails"),
    pytest.param(
        {"api/x.py": "get('http://localhost:1/healthy/x')"}, None, id="an address of something else"
    ),
    pytest.param({"api/main.py": "'/healthz\n\"/health'"}, None, id="quotes that are not closed"),
]


@pytest.mark.parametrize(("files", "path"), HEALTH)
def test_a_path_that_the_programs_name_is_asked_for(files: dict[str, str], path: str | None) -> None:
    paths = health_paths(MemoryTree(files), scan_of(SERVER))
    assert (paths["api"].path if paths else None) == path
    verify = pipeline_of(propose(scan_of(SERVER), "shop", health=paths).text)["steps"][0]["params"]["verify"]
    assert verify == {"paths": [{"path": path or "/"}]}


def test_the_check_of_a_container_names_the_path_and_its_line() -> None:
    tree = MemoryTree({"Dockerfile": "FROM x\nHEALTHCHECK CMD curl -f http://localhost:${PORT:-80}/live\n"})
    paths = health_paths(tree, scan_of(replace(SERVER, dockerfile="Dockerfile")))
    assert (paths["api"].path, str(paths["api"].evidence)) == ("/live", "Dockerfile: line 2")


def test_fastapi_without_a_root_is_asked_for_its_own_description() -> None:
    service = replace(SERVER, framework="fastapi", evidence=(Evidence("framework", "api/pyproject.toml"),))
    none = health_paths(MemoryTree({"api/main.py": '@app.get("/items")'}), scan_of(service))
    assert (none["api"].path, none["api"].evidence.assumed) == ("/openapi.json", True)
    assert health_paths(MemoryTree({"api/main.py": '@app.get("/")'}), scan_of(service)) == {}


def test_what_was_found_is_one_clause() -> None:
    because = (Evidence("start_command", "api/\n" + "x" * 500),)
    said = found(scan_of(replace(SERVER, evidence=because), SITE, SITE, SITE, SITE))
    assert said.startswith("a Python server in /api (api/\N{REPLACEMENT CHARACTER}xxx")
    assert said.endswith(", a static site in /web, a static site in /web and 2 more")
    assert len(said) < 300
    assert found(Scan("x", None, ())) == ""
