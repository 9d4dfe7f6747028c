"""A scan in one clause: what was found, where, and which file says so."""

from collections.abc import Mapping

from shared.scan.result import Scan, Service

SHOWN_MAX = 3  # services
WORD_CHARACTERS_MAX = 80  # of a stranger's name of a folder or file

_LANGUAGES: Mapping[str, str] = {
    "deno": "Deno", "dotnet": ".NET", "elixir": "Elixir", "go": "Go", "java": "Java", "kotlin": "Kotlin",
    "node": "Node.js", "bun": "Bun", "php": "PHP", "python": "Python", "ruby": "Ruby", "rust": "Rust",
}  # fmt: skip


def found(scan: Scan) -> str:
    """Return "a Python server in /api (api/pyproject.toml) and 2 more"; empty if there is nothing."""
    told = [_service(service) for service in scan.services[:SHOWN_MAX]]
    more = len(scan.services) - len(told)
    if more > 0:
        told.append(f"{more} more")
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def _service(service: Service) -> str:
    language = _LANGUAGES.get(service.language, "")
    kind = {"static": "static site", "static_build": "site that is built", "server": "server",
            "existing_docker": "server in a container"}[service.shape]  # fmt: skip
    what = f"{language} {kind}" if language and service.shape != "static" else kind
    article = "an" if what[0] in "AEIOU" else "a"
    where = "/" if service.root == "." else f"/{service.root}"
    facts = ("start_command", "output", "dockerfile", "compose_service", "language")
    told = next((each for fact in facts if (each := service.because(fact))), None)
    said = f" ({_shown(told.file)})" if told else ""
    return f"{article} {what} in {_shown(where)}{said}"


def _shown(text: str) -> str:
    cut = text if len(text) <= WORD_CHARACTERS_MAX else f"{text[:WORD_CHARACTERS_MAX]}…"
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in cut)
