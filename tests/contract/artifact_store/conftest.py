"""What the tests of archives and of the store share."""

import resource
from collections.abc import Iterator

import pytest


@pytest.fixture
def short_files() -> Iterator[None]:
    """Have the operating system refuse to write a file past 4 KiB, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
