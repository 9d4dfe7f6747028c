"""Rules about verification: what the service answered, by the typed fault of the probe that is told first.

The application's own 401 is no credential of ours and its refused connection no network fault: all of
these are the deployment's.
"""

from collections.abc import Callable

from shared.diagnosis.evidence import Case, Phase
from shared.diagnosis.rule import BY_PHASE, SETTLED, Answer, Find, Finding, Rule
from shared.events import ProbeFault, ProbeResult

ASK = "curl -i {url}"
LOGS = "windlass logs {pipeline} {revision} --stage {stage}"


def _probe(fault: ProbeFault, holds: Callable[[int], bool] = lambda _status: True) -> Find:
    """Find a failed probe of this fault whose status, if it is about one, is as it `holds`."""

    def find(case: Case) -> Finding | None:
        seen: ProbeResult | None = case.failed_probe if case.kind == "probe" else None
        if seen is None or seen.fault != fault or not holds(seen.status or 0):
            return None
        return Finding(SETTLED, tuple(filter(None, (f"GET {seen.url} {seen.problem}", seen.body_head))))

    return find


def _not_healthy(_: Phase) -> Answer:
    return BY_PHASE["verify"]


def _rule(name: str, find: Find, cause: str, *commands: str) -> Rule:
    return Rule(name, find, cause, commands, answer=_not_healthy)


PROBE_RULES: tuple[Rule, ...] = (
    _rule(
        "answers_server_error",
        _probe("status", lambda status: status >= 500),
        "The service answers, with an error of its own.",
        LOGS,
        ASK,
    ),
    _rule(
        "path_not_found",
        _probe("status", lambda status: status in {404, 410}),
        "The service answers but does not know the path that is probed.",
        ASK,
    ),
    _rule(
        "path_asks_for_login",
        _probe("status", lambda status: status in {401, 403, 407}),
        "The probed path asks for a login; probe one that does not.",
        ASK,
    ),
    _rule(
        "answers_other_status",
        _probe("status"),
        "The service answers with another status than the pipeline asks for.",
        ASK,
    ),
    _rule(
        "other_release_answered",
        _probe("release"),
        "Another release answered in place of the one that was deployed.",
        ASK,
    ),
    _rule(
        "content_missing",
        _probe("content"),
        "The service answers, without the text that the pipeline asks for.",
        ASK,
    ),
    _rule(
        "answers_too_slowly",
        _probe("slow"),
        "The service answers, but slower than the pipeline allows.",
        LOGS,
        "curl -o /dev/null -w '%{{time_total}}' {url}",
    ),
    _rule(
        "nobody_listens",
        _probe("refused"),
        "Nothing listens at the address: the process ended after it started, or listens elsewhere.",
        LOGS,
        "ss -ltnp",
    ),
    _rule(
        "answers_never_complete",
        _probe("timeout"),
        "The service takes the connection but does not answer in time: it hangs, or waits for something.",
        LOGS,
        ASK,
    ),
    _rule(
        "answers_no_http",
        _probe("broken"),
        "What listens at the address does not answer with whole HTTP.",
        LOGS,
        ASK,
    ),
    _rule("redirects_nowhere", _probe("redirect"), "The service redirects without an end.", ASK),
    _rule("name_unresolved", _probe("unresolved"), "The service's name has no address.", ASK),
    _rule("address_unreachable", _probe("unreachable"), "There is no way to the service's address.", ASK),
    _rule(
        "address_forbidden",
        _probe("forbidden"),
        "The service's name leads to an address that may not be probed from here.",
    ),
    _rule("tls_not_trusted", _probe("tls"), "No trusted TLS connection to the service can be made.", ASK),
)
