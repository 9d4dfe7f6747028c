"""JUnit reports: what is counted, and that nothing a stranger writes does more than be no report."""

import encodings.aliases
import time
import warnings
from collections.abc import Callable
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.deployer.junit import DEPTH_MAX, ELEMENTS_MAX, NoReport, read
from services.deployer.report import NAME_CHARACTERS_MAX, Report, together
from shared.events.shown import FAILED_TESTS_MAX, TEST_MESSAGE_CHARACTERS_MAX

SUREFIRE = b"""<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="all" tests="999" failures="0">
  <testsuite name="shop.CartTest" tests="1" errors="0" skipped="0" failures="0">
    <properties><property name="failure" value="x"/></properties>
    <testcase name="adds" classname="shop.CartTest"><system-out>failure error</system-out></testcase>
    <testcase name="removes" classname="shop.CartTest">
      <failure message="expected 1 but was 2" type="AssertionError">at CartTest.java:7</failure>
      <system-err><![CDATA[<failure/>]]></system-err>
    </testcase>
    <testcase name="pays" classname="shop.CartTest"><error type="IOException">no network
at Pay.java:3</error></testcase>
    <testsuite name="inner"><testcase name="later"><skipped/></testcase></testsuite>
    <testcase name="flaky" classname="shop.CartTest"><flakyFailure message="once"/></testcase>
    <error message="of the suite, and of no test"/>
  </testsuite>
</testsuites>
"""


def report(content: bytes) -> Report:
    found = read(content)
    assert isinstance(found, Report), found
    return found


def refusal(content: bytes) -> str:
    found = read(content)
    assert isinstance(found, NoReport), found
    return found.why


def test_test_cases_are_counted_and_not_what_a_suite_says_of_itself() -> None:
    found = report(SUREFIRE)
    assert (found.passed, found.failed, found.skipped, found.total) == (2, 2, 1, 5)


def test_a_failure_has_its_name_and_its_message_or_its_text() -> None:
    assert [(each.name, each.message) for each in report(SUREFIRE).failures] == [
        ("shop.CartTest.removes", "expected 1 but was 2"),
        ("shop.CartTest.pays", "no network\nat Pay.java:3"),
    ]


@pytest.mark.parametrize(
    ("body", "counts"),
    [
        pytest.param(b"<testsuite/>", (0, 0, 0), id="none"),
        pytest.param(b"<testsuites><testcase/></testsuites>", (1, 0, 0), id="no suite"),
        pytest.param(b"<a:testsuite xmlns:a='b'><a:testcase/></a:testsuite>", (1, 0, 0), id="a namespace"),
        pytest.param(
            b"<testsuite><testcase><testcase/></testcase></testsuite>", (1, 0, 0), id="a case in it"
        ),
        pytest.param(
            b"<testsuite><testcase><skipped/><failure/></testcase></testsuite>", (0, 1, 0), id="both"
        ),
        pytest.param(
            b"<testsuite><testcase><error/><failure/><skipped/></testcase></testsuite>", (0, 1, 0), id="all"
        ),
        pytest.param(
            b"<testsuite><testcase><x><failure/></x></testcase></testsuite>", (1, 0, 0), id="deeper down"
        ),
        pytest.param(b"\xef\xbb\xbf<testsuite><testcase/></testsuite>", (1, 0, 0), id="a byte order mark"),
        pytest.param("<testsuite><testcase/></testsuite>".encode("utf-16"), (1, 0, 0), id="UTF-16"),
        pytest.param(
            "<?xml version='1.0' encoding='windows-1252'?><testsuite><testcase name='é'/></testsuite>".encode(
                "cp1252"
            ),
            (1, 0, 0),
            id="windows",
        ),
    ],
)
def test_what_counts_as_what(body: bytes, counts: tuple[int, int, int]) -> None:
    found = report(body)
    assert (found.passed, found.failed, found.skipped) == counts


BOMB = b"""<!DOCTYPE t [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;">]>
<testsuite><testcase name="&c;"/></testsuite>"""
FILE = b"""<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<testsuite><testcase><failure>&x;</failure></testcase></testsuite>"""
REMOTE = b"""<!DOCTYPE t SYSTEM "http://127.0.0.1:9/evil.dtd"><testsuite/>"""
PARAMETER = b"""<!DOCTYPE t [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><testsuite/>"""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(BOMB, "declares a document type, which no report needs", id="an entity bomb"),
        pytest.param(FILE, "declares a document type, which no report needs", id="a file's text"),
        pytest.param(REMOTE, "declares a document type, which no report needs", id="a remote definition"),
        pytest.param(PARAMETER, "declares a document type, which no report needs", id="a parameter entity"),
        pytest.param(b"", "is not XML: no element found", id="nothing"),
        pytest.param(b"<testsuite>", "is not XML: no element found", id="half of it"),
        pytest.param(b"{}", "is not XML: not well-formed (invalid token)", id="JSON"),
        pytest.param(b"<testsuite>&x;</testsuite>", "is not XML: undefined entity", id="an unknown entity"),
        pytest.param(
            b"<html><testcase/></html>", "is not a JUnit report: it begins with <html>", id="a page"
        ),
        pytest.param(
            b"<testsuite>" * (DEPTH_MAX + 1),
            f"has more than {DEPTH_MAX} elements inside each other",
            id="deep nesting",
        ),
        pytest.param(
            b"<testsuite>" + b"<a/>" * ELEMENTS_MAX + b"</testsuite>",
            f"has more than {ELEMENTS_MAX} elements",
            id="too much of it",
        ),
    ],
)
def test_what_is_no_report_is_said_to_be_none(content: bytes, why: str) -> None:
    assert refusal(content) == why


def cases(count: int, padding: str = "") -> bytes:
    body = "".join(
        f'<testcase name="t{number}"><failure message="m{padding}"/></testcase>' for number in range(count)
    )
    return f"<testsuite>{body}</testsuite>".encode()


def test_the_first_failures_are_told_and_all_are_counted() -> None:
    found = report(cases(5_000))
    assert found.failed == 5_000
    assert [each.name for each in found.failures] == [f"t{number}" for number in range(FAILED_TESTS_MAX)]


def test_long_names_and_messages_are_cut() -> None:
    long = "x" * 3_000_000
    found = report(
        f'<testsuite><testcase classname="{long}" name="{long}"><failure message="{long}"/></testcase>'
        f"<testcase><failure>{long}</failure></testcase></testsuite>".encode()
    )
    assert [len(each.name) for each in found.failures] == [NAME_CHARACTERS_MAX, len("a test without a name")]
    assert [len(each.message) for each in found.failures] == [TEST_MESSAGE_CHARACTERS_MAX] * 2
    assert found.failures[0].message.endswith("x…")


def test_what_a_terminal_would_obey_is_taken_out() -> None:
    case = b"<testcase name='a&#x9b;b&#x202e;c'><failure message='1&#x9;2&#xa;3'/></testcase>"
    failures = report(b"<testsuite>" + case + b"</testsuite>").failures
    assert [(each.name, each.message) for each in failures] == [("a b c", "1 2\n3")]


def test_several_reports_are_added_and_tell_the_first_failures_of_all() -> None:
    both = together([report(cases(15)), report(SUREFIRE), report(cases(15))])
    assert (both.passed, both.failed, both.skipped) == (2, 32, 1)
    assert [each.name for each in both.failures][14:18] == [
        "t14",
        "shop.CartTest.removes",
        "shop.CartTest.pays",
        "t0",
    ]
    assert len(both.failures) == FAILED_TESTS_MAX


@pytest.mark.parametrize("encoding", sorted({*encodings.aliases.aliases, "undefined", "a" * 30, "hex"}))
def test_no_encoding_does_more_than_be_refused(encoding: str) -> None:
    content = f"<?xml version='1.0' encoding='{encoding}'?><testsuite><testcase/></testsuite>"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(content.encode())


MEMBERS = st.sampled_from(
    [b"<testsuite>", b"</testsuite>", b"<testcase name='a'>", b"</testcase>", b"<failure message='", b"'/>",
     b"<skipped/>", b"<error>", b"</error>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?xml version='1.0'?>",
     b"<!DOCTYPE a [", b"<!ENTITY a 'b'>", b"]>", b"&a;", b"&#0;", b"\xff", b"\0", b"<", b"<?x ", b"?>"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.binary() | st.lists(MEMBERS | st.binary(max_size=3), max_size=20).map(b"".join))
def test_any_bytes_are_a_report_or_none(content: bytes) -> None:
    found = read(content)
    assert isinstance(found, Report) or (found.why and found.why.isprintable())


NAMES = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=20)
OUTCOMES = st.sampled_from(["", "<failure message='m'/>", "<error>e</error>", "<skipped/>"])


@given(st.lists(st.tuples(NAMES, OUTCOMES), max_size=30))
def test_a_report_says_what_its_tests_did(tests: list[tuple[str, str]]) -> None:
    body = "".join(f"<testcase name={quoteattr(name)}>{outcome}</testcase>" for name, outcome in tests)
    found = report(f"<testsuite name={quoteattr(escape('x'))}>{body}</testsuite>".encode())
    failed = [name for name, outcome in tests if outcome.startswith(("<f", "<e"))]
    assert (found.total, found.failed) == (len(tests), len(failed))
    assert found.skipped == sum(outcome == "<skipped/>" for _, outcome in tests)
    assert len(found.failures) == min(len(failed), FAILED_TESTS_MAX)


WORST: dict[str, Callable[[int], bytes]] = {
    "text": lambda size: (
        b"<testsuite><testcase><failure>" + b"x\n" * (size // 2) + b"</failure></testcase></testsuite>"
    ),
    "an attribute": lambda size: b"<testsuite name='" + b"x" * size + b"'/>",
    "attributes": lambda size: b"<testsuite " + b" ".join(b"a%d=''" % n for n in range(size // 10)) + b"/>",
    "a name": lambda size: b"<testsuite><" + b"x" * size + b"/></testsuite>",
    "a comment": lambda size: b"<testsuite><!--" + b"x " * (size // 2) + b"--></testsuite>",
    "no end of a comment": lambda size: b"<testsuite><!--" + b"x" * size,
    "no end of an attribute": lambda size: b"<testsuite name='" + b"x" * size,
    "elements": lambda size: b"<testsuite>" + b"<testcase/>" * (size // 11) + b"</testsuite>",
    "references": lambda size: (
        b"<testsuite><testcase><failure>" + b"&lt;" * (size // 4) + b"</failure></testcase></testsuite>"
    ),
}


@pytest.mark.parametrize("kind", WORST)
def test_time_grows_with_the_length_and_no_faster(kind: str) -> None:
    def seconds(size: int) -> float:
        content = WORST[kind](size)
        began = time.process_time()
        read(content)
        return time.process_time() - began

    assert seconds(1_000_000) < 10 * max(seconds(250_000), 0.02)
