"""From a scan to the text of a pipeline file, with remarks that say what each part is and which file says so.

Whatever was found, the text is a pipeline that validates. What this machine can run is deployed to it, to
one stage after the other. What it cannot run stands in the text all the same: as a remark, or marked with
`#|` where one change in the repository is all that is missing. A repository of nothing but containers gets
a pipeline to Amazon ECS, whose account is to be filled in. A proposal that deploys nothing fails when it is
run: it must not pass for a deployment.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from shared.language.check import Given, check
from shared.language.discovery import SCHEMA_FILE
from shared.language.ref_glob import has_wildcard
from shared.language.reference import SLUG
from shared.language.tracks import USUAL_BRANCH
from shared.scan.health import HealthPath
from shared.scan.proposal_part import Part, artifact, remarks, step
from shared.scan.proposal_text import comment, commented_out, indented, scalar, shown
from shared.scan.result import Caution, Scan, Service
from shared.tree import Entry

Entries = Mapping[str, Entry | None]  # what stands at a path of the repository

STAGES = ("staging", "production")
SLUG_CHARACTERS = 40  # at most, unless somebody says another
SERVICES_MAX = 40  # in one proposal; whoever has more wants several pipelines
PORT_MIN = 20_000  # and up to 30 000: free on most machines, and below what systems lend for a moment
PORTS = 10_000
CAUTIONS_MAX = 5  # told of each service, and of the repository
FILE = ".windlass/{slug}/pipeline.yaml"


@dataclass(frozen=True, slots=True)
class Undone:
    """Something that was found and that the proposal does not deploy."""

    name: str
    root: str
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pipeline file."""

    text: str
    deployed: tuple[str, ...]  # names of services
    undone: tuple[Undone, ...]
    needs_account: bool  # it deploys containers to Amazon ECS, once the account is filled in


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a proposal is made of."""

    slug: str
    branch: str
    parts: tuple[Part, ...]
    further: tuple[Service, ...] = ()  # left out because there are so many
    to_account: bool = False
    ports: Mapping[str, int] = field(default_factory=dict)  # of the first stage
    cautions: tuple[Caution, ...] = ()  # that are about no service
    entries: Entries | None = None

    @property
    def live(self) -> tuple[Part, ...]:
        """Return what is deployed."""
        return tuple(part for part in self.parts if part.is_live)


def slug_of(name: str) -> str:
    """Return what a pipeline would be called after a repository, or a folder."""
    last = name.rstrip("/").rpartition("/")[2].lower()
    return re.sub(r"[^a-z0-9]+", "-", last).strip("-")[:SLUG_CHARACTERS].rstrip("-") or "app"


def propose(
    scan: Scan,
    slug: str,
    branch: str = USUAL_BRANCH,
    health: Mapping[str, HealthPath] | None = None,
    entries: Entries | None = None,
) -> Proposal:
    """Return the pipeline file for what was found; `entries` is the tree around it, where that is known.

    Never raises, and always returns one that validates.
    """
    sketch = _sketch(scan, slug if SLUG.fullmatch(slug) else slug_of(slug), branch, health or {})
    sketch = replace(sketch, entries=entries)
    if branch.startswith("!") or has_wildcard(branch) or not _is_valid(replace(sketch, parts=(), further=())):
        sketch = replace(sketch, branch=USUAL_BRANCH)
    if not _is_valid(sketch):
        sketch = replace(sketch, parts=tuple(_judged(sketch, part) for part in sketch.parts))
    if not _is_valid(sketch):  # each is right, and together they are too much for one file
        parts = tuple(part.refused("there is too much for one file") for part in sketch.parts)
        sketch = replace(sketch, parts=parts)
    undone = [
        Undone(part.service.name, part.service.root, part.reason) for part in sketch.parts if part.reason
    ]
    undone += [Undone(each.name, each.root, "there are so many services") for each in sketch.further]
    return Proposal(
        text=_text(sketch),
        deployed=tuple(part.service.name for part in sketch.live),
        undone=tuple(undone),
        needs_account=sketch.to_account and bool(sketch.live),
    )


def _sketch(scan: Scan, slug: str, branch: str, health: Mapping[str, HealthPath]) -> Sketch:
    services = sorted(scan.services, key=lambda service: not service.step)[:SERVICES_MAX]
    kept = {service.name for service in services}
    to_account = not any(service.step for service in services) and any(each.dockerfile for each in services)
    chosen = [service for service in scan.services if service.name in kept]
    first = int.from_bytes(sha256(slug.encode("utf-8", "replace")).digest()[:4], "big") % PORTS
    places = range(first, first + len(chosen) * len(STAGES), len(STAGES))
    return Sketch(
        slug=slug,
        branch=branch,
        parts=tuple(_part(scan, each, health.get(each.name), to_account) for each in chosen),
        further=tuple(service for service in scan.services if service.name not in kept),
        to_account=to_account,
        ports={each.name: PORT_MIN + place % PORTS for each, place in zip(chosen, places, strict=True)},
        cautions=_cautions(scan, ""),
    )


def _part(scan: Scan, service: Service, health: HealthPath | None, to_account: bool) -> Part:  # noqa: FBT001
    part = Part.of(service, health, to_account=to_account)
    return replace(part, cautions=tuple(each.message for each in _cautions(scan, service.name)))


def _cautions(scan: Scan, service: str) -> tuple[Caution, ...]:
    found = [each for each in scan.warnings if each.service == service and each.severity == "warning"]
    return tuple(found[:CAUTIONS_MAX])


def _judged(sketch: Sketch, part: Part) -> Part:
    """Return a part that is right by itself, or else one that is left out, with the reason."""
    alone = replace(sketch, parts=(part,), further=())
    errors = _errors(alone)
    return part.refused(f"a pipeline file cannot say how: {errors[0]}") if errors else part


def _is_valid(sketch: Sketch) -> bool:
    return not _errors(sketch)


def _errors(sketch: Sketch) -> list[str]:
    source = _text(sketch).encode("utf-8", "replace")
    found = check("pipeline.yaml", source, Given(entries=sketch.entries)).problems
    return [problem.message for problem in found if problem.severity == "error"]


def _text(sketch: Sketch) -> str:
    return "\n".join((*_head(sketch), *_stages(sketch), *_artifacts(sketch), *_steps(sketch), ""))


def _head(sketch: Sketch) -> Iterator[str]:
    yield f"# yaml-language-server: $schema=../{SCHEMA_FILE}"
    yield "#"
    yield "# Proposed by `windlass init` from what lies in the repository: a beginning, to be read and"
    yield "# changed. In brackets stands the file that says so; what is so by custom stands in no file."
    if any(not part.is_live and part.is_nearly for part in sketch.parts):
        yield "# Lines marked with #| take effect once that mark is taken away."
    for caution in sketch.cautions:
        yield from comment(f"Beware: {caution.message}")
    if sketch.to_account and sketch.live:
        yield "#"
        yield "# What was found runs in containers only. This is what it takes to deploy it to Amazon ECS:"
        yield "# fill in the accounts, regions, clusters and services. A push of it is refused as long as"
        yield "# `windlass validate` tells what this release cannot carry out."
    yield 'version: "1"'
    yield "pipeline:"
    yield "  # Pushes to this branch are deployed."
    yield f"  tracks: {scalar(sketch.branch)}"


def _stages(sketch: Sketch) -> Iterator[str]:
    yield ""
    yield "  # Every revision goes through these in order: a stage begins when the one above it succeeded."
    if not sketch.to_account and sketch.ports:
        yield "  # Each service has a port of its own in each of them: any that is free on the machine."
    yield "  stages:"
    for number, stage in enumerate(STAGES):
        yield f"    - name: {stage}"
        if sketch.to_account:
            yield '      account_id: "000000000000" # 12 digits: the AWS account'
            yield "      region: us-east-1"
        lines = list(_vars(sketch, number))
        if lines:
            yield "      vars:"
            yield from indented(lines, 8)


def _vars(sketch: Sketch, stage: int) -> Iterator[str]:
    if sketch.to_account:
        yield f"cluster: {sketch.slug}-{STAGES[stage]} # the ECS cluster"
        return
    for part in sketch.parts:
        if part.is_live or part.is_nearly:
            yield f"{part.port_name}: {sketch.ports[part.service.name] + stage}"


def _artifacts(sketch: Sketch) -> Iterator[str]:
    told = [part for part in sketch.parts if part.is_live or part.is_nearly]
    if not told:
        return
    yield ""
    yield "  # What is built, once for all stages, and again only when something it is made of changes."
    yield ("  " if sketch.live else "  #| ") + "artifacts:"
    for part in told:
        yield from indented(remarks(part), 4)
        yield from indented(_block(part, artifact(part)), 4)


def _steps(sketch: Sketch) -> Iterator[str]:
    yield ""
    yield "  # What is done in each stage."
    yield "  steps:"
    for part in sketch.parts:
        if part.is_live or part.is_nearly:
            yield from indented(_block(part, step(part, is_first=part in sketch.live[:1])), 4)
    if not sketch.live:
        yield from indented(_placeholder(sketch), 4)
    yield from indented(_left_out(sketch), 2)


def _block(part: Part, lines: Iterator[str]) -> Iterator[str]:
    return lines if part.is_live else commented_out(lines)


def _placeholder(sketch: Sketch) -> Iterator[str]:
    file = FILE.format(slug=sketch.slug)
    yield "# Nothing is deployed yet, and this step fails to say so. Put yours in its place."
    yield "- name: Not yet a deployment"
    yield "  type: SCRIPT:EXECUTE"
    yield "  params:"
    yield "    commands:"
    yield f"      - echo {file} does not say yet what is deployed, and how >&2"
    yield "      - exit 1"


def _left_out(sketch: Sketch) -> Iterator[str]:
    reasons = [
        (part.service, part.reason) for part in sketch.parts if not part.is_live and not part.is_nearly
    ]
    reasons += [(service, "there are so many services") for service in sketch.further]
    if not reasons:
        return
    yield ""
    yield "# Found, and not deployed by this file:"
    for service, reason in reasons:
        yield from comment(f"- {service.name}, in {place_of(service)}: {reason}")


def place_of(service: Service) -> str:
    """Return its folder as a path from the repository's root."""
    return "/" if service.root == "." else shown(f"/{service.root}")
