"""What is told of a repository that has no pipeline file; the scan itself is loaded when one is made."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What lies in a repository without a pipeline."""

    sentence: str = ""  # empty: nothing that could be deployed
    proposal: str = ""  # a pipeline file
    note: str = ""  # why there is none
