"""What a branch or a tag can be called: git's own rule, and ours for names that programs could mistake."""

import re

REF_NAME_BYTES_MAX = 240  # what a file system takes as one name, less git's own ".lock"

# What `git check-ref-format` refuses, and nothing else that is only odd: `$(id)` is a legal name.
_NEVER = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")


def is_ref_name(name: str) -> bool:
    """Tell whether a branch or a tag can have this name, as people write it: without `refs/heads/`."""
    return bool(
        name
        and name != "@"
        and len(name.encode(errors="replace")) <= REF_NAME_BYTES_MAX
        and name.isprintable()
        and not _NEVER.search(name)
        and not name.startswith("-")  # a program could take it for an option
        and not name.endswith(".")
        and all(map(_is_part, name.split("/")))
    )


def _is_part(part: str) -> bool:
    return bool(part) and not part.startswith(".") and not part.endswith(".lock")
