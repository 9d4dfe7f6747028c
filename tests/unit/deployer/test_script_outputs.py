"""What a script writes to WINDLASS_OUTPUT: all of it is understood, or it is said what is not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deployer.script_outputs import (
    ALL_BYTES_MAX,
    FILE_BYTES_MAX,
    OUTPUTS_MAX,
    VALUE_BYTES_MAX,
    Wrong,
    read,
)

LARGEST = b"x" * VALUE_BYTES_MAX


@pytest.mark.parametrize(
    ("content", "outputs"),
    [
        pytest.param(b"", {}, id="nothing"),
        pytest.param(b"\n\r\n\n", {}, id="empty lines"),
        pytest.param(b"URL=https://x/?a=b\n", {"URL": "https://x/?a=b"}, id="a value with a sign in it"),
        pytest.param(b"a=1\nb=2", {"a": "1", "b": "2"}, id="no end of the last line"),
        pytest.param(b"a=\r\n", {"a": ""}, id="an empty value"),
        pytest.param(b"a= x \n", {"a": " x "}, id="blanks"),
        pytest.param(b"a=1\na=2\n", {"a": "2"}, id="the last one counts"),
        pytest.param(b"a=<<END\n", {"a": "<<END"}, id="no mark behind an equals sign"),
        pytest.param("a=\u00e4\u2603\x07\n".encode(), {"a": "\u00e4\u2603\x07"}, id="any text"),
        pytest.param(b"a<<END\none\n\n two \nEND\nb=2\n", {"a": "one\n\n two ", "b": "2"}, id="lines"),
        pytest.param(b"a<<END\nEND", {"a": ""}, id="no lines"),
        pytest.param(b"a<<E\nb=1\nE \nEE\nE\n", {"a": "b=1\nE \nEE"}, id="lines that look like others"),
        pytest.param(b"a<<E\r\none\r\ntwo\r\nE\r\n", {"a": "one\ntwo"}, id="lines of Windows"),
        pytest.param(b"a=" + LARGEST, {"a": LARGEST.decode()}, id="the largest value"),
        pytest.param(b"a" * 100 + b"=1", {"a" * 100: "1"}, id="the longest name"),
    ],
)
def test_what_is_given(content: bytes, outputs: dict[str, str]) -> None:
    assert read(content) == outputs


WHERE = "line {} of what it wrote to WINDLASS_OUTPUT "


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        pytest.param(b"a=1\nhello\n", 2, "is neither NAME=value nor NAME<<MARK", id="no form"),
        pytest.param(b"\n\n1a=1", 3, "is neither NAME=value nor NAME<<MARK", id="a digit first"),
        pytest.param(b" a=1", 1, "is neither NAME=value nor NAME<<MARK", id="a blank first"),
        pytest.param(b"a b=1", 1, "is neither NAME=value nor NAME<<MARK", id="a blank in a name"),
        pytest.param("\u00e4=1".encode(), 1, "is neither NAME=value nor NAME<<MARK", id="another letter"),
        pytest.param(b"=1", 1, "is neither NAME=value nor NAME<<MARK", id="no name"),
        pytest.param(b"a" * 101 + b"=1", 1, "is neither NAME=value nor NAME<<MARK", id="a long name"),
        pytest.param(b"a=\xff", 1, "is not text in UTF-8", id="no text"),
        pytest.param(b"a=\0", 1, "gives a value with bytes that no variable can hold", id="a zero"),
        pytest.param(b"a<<E\n\xff\nE", 1, "gives a value with bytes that no variable can hold", id="bytes"),
        pytest.param(b"a=1\na<<E\nb=2\n", 2, "begins a value whose end mark is missing", id="no end mark"),
        pytest.param(b"a<<\n\n", 1, "begins a value whose end mark is missing", id="no mark at all"),
        pytest.param(b"a=x" + LARGEST, 1, "gives a value of more than 32 KiB", id="a large value"),
        pytest.param(
            b"".join(b"a%d=1\n" % number for number in range(OUTPUTS_MAX + 1)),
            101,
            "is output 101, and a step gives 100 at most",
            id="too many",
        ),
    ],
)
def test_what_cannot_be_understood_is_named_by_its_line(content: bytes, line: int, why: str) -> None:
    assert read(content) == Wrong(WHERE.format(line) + why)


def test_outputs_are_bounded_together_and_so_is_the_file() -> None:
    values = [b"a%d=%b\n" % (number, LARGEST) for number in range(4)]
    assert read(b"".join(values)) == Wrong("its outputs are larger than 128 KiB together")
    assert isinstance(read(b"".join(values[:3]) + b"b=1\n" * 4 + values[0]), dict)
    assert read(b"\n" * (FILE_BYTES_MAX + 1)) == Wrong("it wrote more than 512 KiB to WINDLASS_OUTPUT")
    assert ALL_BYTES_MAX < FILE_BYTES_MAX


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@given(st.dictionaries(NAMES, VALUES, max_size=10))
def test_what_was_written_as_lines_comes_back(outputs: dict[str, str]) -> None:
    written = "".join(f"{name}<<---\n{value}\n---\n" for name, value in outputs.items())
    kept = {name: re.sub("\r(?=\n|$)", "", value) for name, value in outputs.items()}
    assert read(written.encode()) == kept


@given(
    st.binary() | st.lists(st.sampled_from([b"a", b"=", b"<<", b"\n", b"E", b"\0", b"\xff"])).map(b"".join)
)
def test_any_bytes_are_outputs_or_wrong(content: bytes) -> None:
    found = read(content)
    assert isinstance(found, dict) or found.message
