"""What came of pushes in words, as people read them. Pure."""

from collections.abc import Iterator, Sequence

from services.cli import words
from services.cli.output import Document, harmless

PROBLEMS_MAX = 50  # of one file; the rest is in --json
WAITS = "it is being looked at"


def told(pushes: Sequence[Document], pipeline: str | None) -> Iterator[str]:
    """Yield each push with what came of it; problems only where they may still hold, at the newest one."""
    explained: set[str] = set()
    for push in pushes:
        yield harmless(_headline(push))
        if push["refused_code"]:
            yield harmless(f"  refused: {push['refused_message']}")
        decisions = [each for each in push["decisions"] if pipeline in {None, each["pipeline"]}]
        for decision in decisions:
            yield harmless(f"  {decision['pipeline']}: {_outcome(decision)}")
            if decision["decision"] == "rejected" and decision["pipeline"] not in explained:
                yield from (f"    {line}" for line in problems(decision["problems"]))
        explained |= {each["pipeline"] for each in decisions}
        if not decisions and not push["refused_code"]:
            yield f"  {WAITS}"


def problems(found: Sequence[Document]) -> Iterator[str]:
    """Yield mistakes with their places, and then together what cannot be carried out yet."""
    unsupported = [problem for problem in found if problem["rule"] == "unsupported"]
    others = [problem for problem in found if problem["rule"] != "unsupported"]
    yield from (harmless(words.problem(problem)) for problem in others[:PROBLEMS_MAX])
    if unsupported:
        file = unsupported[0]["file"]
        yield harmless(f"{file}: this release can plan the following and cannot carry it out:")
        places = [f"{problem['line']}:{problem['column']}" for problem in unsupported[:PROBLEMS_MAX]]
        width = max(map(len, places))
        for place, problem in zip(places, unsupported, strict=False):
            yield harmless(f"  {place:>{width}} | {problem['message']}")
    more = sum(max(len(each) - PROBLEMS_MAX, 0) for each in (others, unsupported))
    if more:
        yield f"and {more} more, which --json lists"


def notices(pipeline: Document) -> Iterator[str]:
    """Yield what `windlass status` says of a pipeline's newest push that led to nothing: one line."""
    name, rejected, skipped = pipeline["pipeline"], pipeline["rejected"], pipeline.get("skipped")
    if rejected:
        found = rejected["problems"]
        first = next((problem for problem in found if problem["severity"] == "error"), None)
        what = f": {words.problem(first)}" if first else "."
        more = f"; and {len(found) - 1} more: `windlass pushes {name}`" if len(found) > 1 else ""
        yield harmless(f"{name}: the newest push is rejected{what}{more}")
    elif skipped:
        commit = words.short(skipped["commit"])
        yield harmless(f"{name}: the newest push ({commit}) needs no revision: {_why(skipped)}")


def _headline(push: Document) -> str:
    ref = f"tag {push['tag']}" if push["tag"] else push["branch"] or "the usual branch"
    commit = words.short(push["commit"]) or "its tip"
    by = f", by {push['pusher']}" if push["pusher"] else ""
    how = ", asked for by hand" if push["trigger"] == "manual" else ""
    return f"{words.ago(push['received_at'])}: {commit} of {ref} in {push['repository']}{how}{by}"


def _outcome(decision: Document) -> str:
    match decision["decision"]:
        case "planned":
            return f"planned as revision {decision['revision']}"
        case "skipped":
            return f"skipped, {_why(decision)}"
    number = len(decision["problems"])
    return f"rejected, {number} problem{'' if number == 1 else 's'}"


def _why(skipped: Document) -> str:
    return str(skipped["message"] or skipped["reason"])
