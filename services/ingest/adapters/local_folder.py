"""Folders of this machine that somebody wants deployed from."""

from pathlib import Path

from shared.faults import Refused

HEAD_BYTES_MAX = 1_000
_BRANCH = "ref: refs/heads/"


def repository_folder(path: str) -> str:
    """Return the folder's real path; Refused unless a git repository is there that can be read."""
    folder = Path(path)
    if not folder.is_absolute():
        raise Refused(f"{path!a} is not an absolute path")
    try:
        real = folder.resolve(strict=True)
        if _git_folder(real) is None:
            raise Refused(f"{path!a} is not a git repository")
    except FileNotFoundError:
        raise Refused(f"{path!a} does not exist") from None
    except OSError as error:
        raise Refused(f"{path!a} cannot be read: {error.strerror}") from None
    except RuntimeError:
        raise Refused(f"{path!a} cannot be read: its links lead in a circle") from None
    return str(real)


def branch_in_use(path: str) -> str | None:
    """Return the branch that the repository's HEAD names, if it names one."""
    git = _git_folder(Path(path))
    if git is None or not git.is_dir():
        return None
    try:
        with (git / "HEAD").open("rb") as head:
            text = head.read(HEAD_BYTES_MAX).decode(errors="replace").strip()
    except OSError:
        return None
    return text.removeprefix(_BRANCH) if text.startswith(_BRANCH) else None


def _git_folder(folder: Path) -> Path | None:
    if (folder / ".git").exists():
        return folder / ".git"
    bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
    return folder if bare else None
