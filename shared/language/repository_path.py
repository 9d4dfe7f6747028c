"""Paths that a pipeline file names: always inside the repository, always written from its root."""

from shared.language.problem import Place, Problems, quoted

PATH_CHARACTERS_MAX = 1_000


def read_path(text: str, place: Place, what: str, problems: Problems) -> str | None:
    """Return the path relative to the repository root, `.` for the root itself."""
    parts = [part for part in text.split("/") if part not in {"", "."}]
    if not text.startswith("/"):
        message = f"{what} {quoted(text)} must start with a slash, which stands for the repository"
        problems.add(place, message, f"did you mean {quoted('/' + text.lstrip('.').lstrip('/'))}?")
    elif ".." in parts:
        problems.add(place, f"{what} {quoted(text)} leaves the repository")
    elif any(part.startswith("-") for part in parts[:1]):
        problems.add(place, f"{what} {quoted(text)} could be taken for an option")
    elif len(text) > PATH_CHARACTERS_MAX or "\n" in text:
        problems.add(place, f"{what} {quoted(text)} is not a path")
    else:
        return "/".join(parts) or "."
    return None


def read_source(text: str, place: Place, problems: Problems) -> str | None:
    """Return a path that an artifact depends on, from the root: `/app`."""
    if "*" in text or "?" in text:
        message = f"{quoted(text)} is a pattern, and a pattern matches nothing here"
        problems.add(place, message, "name the folder: everything below it counts")
        return None
    path = read_path(text, place, "path", problems)
    return None if path is None else f"/{path}" if path != "." else "/"
