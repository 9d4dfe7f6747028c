"""What a bare log tells of the phase that it is about, and whom a rule leaves out.

The same program fails in a build and as a service, the same tool sets a place up and deploys to it. Their
surroundings tell them apart.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from shared.diagnosis.evidence import Case, Phase
from shared.diagnosis.rule import Find, Finding, Rule

_SETS_UP = re.compile(
    r".{0,160}?\b(?:[Tt]erraform|[Pp]ulumi)\b|PLAY \[|.{0,120}?\bAWS::[A-Z]\w{1,40}::|\u2502 ?Error: "
)
_BUILDS = re.compile(
    r"> \S{1,120}@\S{1,60} (?:pre|post)?(?:build|compile|test|lint|generate|install)\S{0,40}"
    r"|> (?:next|vite|react-scripts|nuxt|ng|astro|gatsby|remix|turbo|nx)\S{0,20} build|\$ (?:tsc|vite"
    r"|webpack|next build)"
    r"|vite v[\d.]{3,12} building|yarn run v\d|#\d{1,4} \[|Step \d{1,4}/\d{1,4} : | *make(?:\[\d{1,3}\])?:"
    r" \*\*\* |npm (?:ERR!|error) |Creating an optimized production build|\s{0,8}File"
    r" \"/(?:[\w.-]{1,40}/){0,3}builds?/|\s{1,8}at .{0,200}[(/]/(?:[\w.-]{1,40}/){0,3}builds?/"
    r"|\S{0,10}/(?:[\w.-]{1,40}/){0,3}builds?/\S{1,200}:\d{1,6}$"
    r"|Collecting \S{1,80}$|(?:\[INFO\] )?Building \S{1,80} [\d.]|\+ (?:docker build|npm (?:ci|run build))"
)
_SERVES = re.compile(
    r".{0,60}(?:\[INFO\] Starting gunicorn|Booting worker|Uvicorn running on|Started server process"
    r"|Running on http)"
    r"|=> Booting Puma|.{0,200}Starting \w{1,60} (?:v[\d.]{1,20} )?using Java|\[nodemon\]|PM2 |> \S{1,120}"
    r" start$"
)
_DATABASE_TOOL = re.compile(
    r"(?:psql|createdb|dropdb|vacuumdb|pg_\w{1,20}|mysql\w{0,20}|mongosh|redis-cli)\b|ERROR \d{4} \(\w{5}\)"
)


def planned(rule: Rule) -> Rule:
    """Have the rule tell a tool that sets a place up from one that deploys to it."""
    return replace(rule, find=_at_home(rule.find, "setup", _sets_up))


def of_no_probe(rule: Rule) -> Rule:
    """Have the rule leave out services that are probed: what these call is their own affair."""
    find = rule.find
    return replace(rule, find=lambda case: find(case) if case.kind != "probe" else None)


def built(rule: Rule) -> Rule:
    """Have the rule tell a program of a build from one that serves, where the log shows a build."""
    return replace(rule, find=_at_home(rule.find, "build", _is_build)) if rule.home == "rollout" else rule


def by_script(rule: Rule) -> Rule:
    """Have the rule tell a database's own tool, which a script runs, from a program that serves."""
    return replace(rule, find=_at_home(rule.find, "deploy", _is_script))


def _at_home(find: Find, home: Phase, holds: Callable[[Case, Finding], bool]) -> Find:
    def found(case: Case) -> Finding | None:
        finding = find(case)
        if finding and case.phase == "unknown" and holds(case, finding):
            return replace(finding, home=home)
        return finding

    return found


def _sets_up(case: Case, _: Finding) -> bool:
    return any(map(_SETS_UP.match, case.lines))


def _is_build(case: Case, _: Finding) -> bool:
    return any(map(_BUILDS.match, case.lines)) and not any(map(_SERVES.match, case.lines))


def _is_script(case: Case, finding: Finding) -> bool:
    places = (each for each in finding.lines if isinstance(each, int))
    return any(_DATABASE_TOOL.match(case.lines[place]) for place in places)
