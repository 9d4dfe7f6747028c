"""Rules about verification: what the service answered, by the typed fault of the probe that is told first.

The application's own 401 is no credential of ours and its refused connection no network fault: all of
these are the deployment's. Where the service is gone, or has an error of its own, what it said last may
tell the earlier cause: then these only hold in the end.
"""

from collections.abc import Callable

from shared.diagnosis.evidence import Case, Phase
from shared.diagnosis.rule import BY_PHASE, IN_THE_END, SETTLED, Answer, Find, Finding, Rule, last_lines
from shared.diagnosis.sample import probed
from shared.events import ProbeFault, ProbeResult

ASK = "curl -i {url}"
LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
PORTS = "ss -ltnp"
PASSES = "The next verification passes all its rounds."
SHOWN_OF_LOG = 3  # lines that go with a probe which the program's end may explain
NOT_THERE = frozenset({404, 410})
LOGIN = frozenset({401, 403, 407})
NOBODY_BEHIND = frozenset({502, 504})


def _probe(
    fault: ProbeFault, holds: Callable[[int], bool] = lambda _status: True, *, place: int = SETTLED
) -> Find:
    """Find a failed probe of this fault whose status, if it is about one, is as it `holds`."""

    def find(case: Case) -> Finding | None:
        seen: ProbeResult | None = case.failed_probe if case.kind == "probe" else None
        if seen is None or seen.fault != fault or not holds(seen.status or 0):
            return None
        told = tuple(filter(None, (_told(seen), seen.body_head)))
        said = last_lines(case)[-SHOWN_OF_LOG:] if place == IN_THE_END else ()
        return Finding(place, (*told, *said))

    return find


def _told(seen: ProbeResult) -> str:
    return f"GET {seen.url} {seen.problem}" if seen.kind == "http" else f"{seen.url} {seen.problem}"


def _not_healthy(_: Phase) -> Answer:
    return BY_PHASE["verify"]


def _is_other(status: int) -> bool:
    return status < 300 or (400 <= status < 500 and status not in NOT_THERE | LOGIN)


PROBE_RULES: tuple[Rule, ...] = (
    Rule(
        "gateway_without_service",
        _probe("status", NOBODY_BEHIND.__contains__, place=IN_THE_END),
        "A gateway answers in place of the service: it gets no answer from what should be behind it.",
        (LOGS, PORTS, ASK),
        answer=_not_healthy,
        check=(
            "Whether the service's process is there, and listens on the port that the gateway leads to.",
            "Whether it takes longer to answer than the gateway waits.",
        ),
        done_when=PASSES,
        confidence="certain",
        example=probed("status", 502),
        near_miss=probed("status", 500),
    ),
    Rule(
        "answers_server_error",
        _probe("status", lambda status: status >= 500, place=IN_THE_END),
        "The service answers, with an error of its own.",
        (LOGS, ASK),
        answer=_not_healthy,
        check=(
            "What the service said when it was asked: its last error most often is the cause.",
            "What the probed path needs: a database, a setting, another service.",
        ),
        done_when="The path answers with the status that is asked for, and the next verification passes.",
        confidence="certain",
        example=probed("status", 500),
        near_miss=probed("status", 404),
    ),
    Rule(
        "path_not_found",
        _probe("status", NOT_THERE.__contains__),
        "The service answers but does not know the path that is probed.",
        (ASK,),
        answer=_not_healthy,
        check=(
            "The paths under `verify`, against what the service knows; capitals and the last slash count.",
            "Whether the service expects a prefix before its paths.",
        ),
        done_when=PASSES,
        confidence="certain",
        example=probed("status", 404),
        near_miss=probed("content", 200),
    ),
    Rule(
        "path_asks_for_login",
        _probe("status", LOGIN.__contains__),
        "The probed path asks for a login; probe one that does not.",
        (ASK,),
        answer=_not_healthy,
        check=(
            "Whether the path is meant to be open: a health path most often is.",
            "Whether the service only answers requests for a host name that it knows.",
        ),
        done_when=PASSES,
        confidence="certain",
        example=probed("status", 401),
        near_miss=probed("status", 404),
    ),
    Rule(
        "redirects_elsewhere",
        _probe("status", lambda status: 300 <= status < 400),
        "The service redirects, and the pipeline asks for another answer on that path.",
        (ASK,),
        answer=_not_healthy,
        check=(
            "Where it leads to: a login, a path with a slash at its end, or https.",
            "Whether the pipeline should probe the path that it leads to.",
        ),
        done_when=PASSES,
        confidence="certain",
        example=probed("status", 302),
        near_miss=probed("redirect", 302),
    ),
    Rule(
        "answers_other_status",
        _probe("status", _is_other),
        "The service answers with another status than the pipeline asks for.",
        (ASK,),
        answer=_not_healthy,
        check=("The status under `verify`, against what the path is meant to answer to a plain GET.",),
        done_when=PASSES,
        confidence="certain",
        example=probed("status", 400),
        near_miss=probed("status", 500),
    ),
    Rule(
        "other_release_answered",
        _probe("release"),
        "Another release answered in place of the one that was deployed.",
        (ASK,),
        answer=_not_healthy,
        check=(
            "Whether an earlier copy of the service still runs, and has the address.",
            "Whether a cache or a content network answers for it.",
            "Whether the marker that the pipeline looks for is really in the new release's answer.",
        ),
        done_when="The answer carries the new release's marker.",
        confidence="certain",
        example=probed("release", 200),
        near_miss=probed("content", 200),
    ),
    Rule(
        "content_missing",
        _probe("content"),
        "The service answers, without the text that the pipeline asks for.",
        (ASK,),
        answer=_not_healthy,
        check=(
            (
                "The beginning of the answer: a page for errors or logins, or a start page that answers every"
                " path."
            ),
            "Whether the text under `contains` is in the page as it is sent, before any script runs.",
        ),
        done_when="The answer has the text in it.",
        confidence="certain",
        example=probed("content", 200),
        near_miss=probed("release", 200),
    ),
    Rule(
        "answers_too_slowly",
        _probe("slow"),
        "The service answers, but slower than the pipeline allows.",
        (LOGS, "curl -o /dev/null -w '%{{time_total}}' {url}"),
        answer=_not_healthy,
        check=(
            "What the path does for its answer: a health path should do little.",
            "Whether only the first answers are slow, while it warms up.",
            "Whether the machine has too much to do.",
        ),
        done_when="The path answers below the limit, every time.",
        confidence="certain",
        example=probed("slow", 200),
        near_miss=probed("timeout"),
    ),
    Rule(
        "service_ended",
        _probe("ended", place=IN_THE_END),
        "The service came up, and its process ended while it was verified.",
        (LOGS,),
        answer=_not_healthy,
        check=(
            "The last lines that it said, and its exit code.",
            "Whether the first requests make it end.",
        ),
        done_when="The process lives through the whole verification.",
        confidence="certain",
        example=probed("ended"),
        near_miss=probed("refused"),
    ),
    Rule(
        "service_restarted",
        _probe("restarted", place=IN_THE_END),
        "The service's process was replaced while it was verified: it ended and was started again.",
        (LOGS,),
        answer=_not_healthy,
        check=(
            "The last lines of the process that ended.",
            "Whether something else restarts it: a supervisor, a watcher of files, a memory limit.",
        ),
        done_when="One and the same process lives through the whole verification.",
        confidence="certain",
        example=probed("restarted"),
        near_miss=probed("ended"),
    ),
    Rule(
        "command_said_no",
        _probe("command"),
        "A command that verifies the service ended with an error, or did not end in time.",
        (LOGS,),
        answer=_not_healthy,
        check=(
            "What the command said last.",
            "Whether it ends with 0 by hand, against the same address.",
        ),
        done_when="The command ends with 0 within its time.",
        confidence="certain",
        example=probed("command"),
        near_miss=probed("ended"),
    ),
    Rule(
        "nobody_listens",
        _probe("refused", place=IN_THE_END),
        "Nothing listens at the address: the process ended after it started, or listens elsewhere.",
        (LOGS, PORTS),
        answer=_not_healthy,
        check=(
            "Whether the process is still there, and what it said last.",
            (
                "Where it listens: the address must be reached from here, and the port be the one that is"
                " probed."
            ),
        ),
        done_when="`ss -ltnp` shows the port, and the next verification passes.",
        confidence="certain",
        example=probed("refused"),
        near_miss=probed("timeout"),
    ),
    Rule(
        "answers_never_complete",
        _probe("timeout", place=IN_THE_END),
        "The service takes the connection but does not answer in time: it hangs, or waits for something.",
        (LOGS, ASK),
        answer=_not_healthy,
        check=(
            "What the path waits for: a database, another service, a lock.",
            "Whether all of the service's workers are busy.",
            "Whether a firewall drops the packets: then the connection is never taken.",
        ),
        done_when="The path answers within the limit.",
        confidence="certain",
        example=probed("timeout"),
        near_miss=probed("slow", 200),
    ),
    Rule(
        "answers_no_http",
        _probe("broken", place=IN_THE_END),
        "What listens at the address does not answer with whole HTTP.",
        (LOGS, ASK),
        answer=_not_healthy,
        check=(
            "Whether the port speaks https, or is another one of the program: for metrics, gRPC, a debugger.",
            "Whether the process ends while it answers.",
        ),
        done_when="`curl -i` shows a whole answer.",
        confidence="certain",
        example=probed("broken"),
        near_miss=probed("tls"),
    ),
    Rule(
        "redirects_nowhere",
        _probe("redirect"),
        "The service redirects without an end, or to where a probe does not follow.",
        (ASK,),
        answer=_not_healthy,
        check=(
            (
                "Whether it redirects to itself: a wrong idea of its own address, or of https before it, does"
                " that."
            ),
            "Whether the path should be probed for its status instead: then redirects are not followed.",
        ),
        done_when="`curl -iL` ends at a page.",
        confidence="certain",
        example=probed("redirect"),
        near_miss=probed("status", 302),
    ),
    Rule(
        "name_unresolved",
        _probe("unresolved"),
        "The service's name has no address.",
        ("getent hosts HOST", ASK),
        answer=_not_healthy,
        check=(
            "How the name is spelt, and whether its record exists by now.",
            "Whether the resolver that is asked here knows it.",
        ),
        done_when="`getent hosts` shows an address.",
        confidence="certain",
        example=probed("unresolved"),
        near_miss=probed("unreachable"),
    ),
    Rule(
        "address_unreachable",
        _probe("unreachable"),
        "There is no way to the service's address.",
        (ASK,),
        answer=_not_healthy,
        check=(
            "Whether the address is one of a network that is reached from here.",
            "Whether the machine that has it runs.",
        ),
        done_when="`curl -i` connects.",
        confidence="certain",
        example=probed("unreachable"),
        near_miss=probed("unresolved"),
    ),
    Rule(
        "address_forbidden",
        _probe("forbidden"),
        "The service's name leads to an address that may not be probed from here.",
        ("getent hosts HOST",),
        answer=_not_healthy,
        check=(
            (
                "Which address the name has: private ones and those of clouds' metadata are not probed for a"
                " target that is not local."
            ),
            "Whether the address in the pipeline has a user name or another scheme than http and https.",
        ),
        done_when="The name leads to a public address.",
        confidence="certain",
        example=probed("forbidden"),
        near_miss=probed("unreachable"),
    ),
    Rule(
        "tls_not_trusted",
        _probe("tls"),
        "No trusted TLS connection to the service can be made.",
        (ASK,),
        answer=_not_healthy,
        check=(
            (
                "Whether the certificate is for this name, not expired, and sent with those that lead to its"
                " root."
            ),
            "Whether the port speaks TLS at all.",
        ),
        done_when="`curl -i` connects without -k.",
        confidence="certain",
        example=probed("tls"),
        near_miss=probed("broken"),
    ),
)
