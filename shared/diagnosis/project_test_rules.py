"""Rules about tests that a build or a step runs. What they print of networks, memory and credentials is
theirs: the runner's summary settles the matter before any line above it.
"""

from shared.diagnosis.rule import Rule, first_of, line, settled
from shared.diagnosis.sample import failed
from shared.diagnosis.stated_rules import stated
from shared.diagnosis.tool_words import LOGS, MAKES, TREE

TESTS_FAILED = (
    r"=+ .{0,100}\b[1-9]\d* (?:failed|errors?)\b.{0,100} in [\d.]+s",  # pytest
    r"[1-9]\d* (?:failed|errors?)(?:, \d+ \w{1,12}){0,6} in [\d.]+s",  # pytest -q
    r"FAILED \((?:failures|errors|unexpected successes)=\d",  # unittest
    r"Tests: +(?:\d+ \w{1,10}, )?[1-9]\d* failed",  # Jest
    r"Test Suites: +[1-9]\d* failed",
    r" {0,8}Tests  ?[1-9]\d* failed",  # Vitest
    r" {0,8}Test Files  ?[1-9]\d* failed",
    r" {1,4}[1-9]\d* failing$",  # Mocha
    r"\s{1,4}[1-9]\d* failed$",  # Playwright
    r"\s{0,4}(?:✖|✗|\u00d7) {1,3}[1-9]\d* of \d+ failed \(",  # Cypress
    r"[#\u2139] fail [1-9]",  # Node's own
    r"not ok \d{1,6}\b(?!.{0,300}# (?:TODO|SKIP))",  # TAP
    r"\s{0,2}[1-9]\d* tests? failed$",  # AVA
    r"\s{0,2}[1-9]\d* fail$",  # Bun
    r"Executed \d+ of \d+ .{0,60}\([1-9]\d* FAILED\)",  # Karma
    r"--- FAIL: ",  # Go
    r"FAIL\s\S{1,200}\s(?:[\d.]+s|\[build failed\])",
    r"test result: FAILED\b",  # Cargo
    r"FAILED \| \d",  # Deno
    r"\[ERROR\] (?:\x1b\[\S{1,8})?Tests run: \d+, (?:Failures: [1-9]|Failures: 0, Errors: [1-9])",  # Maven
    r"\[ERROR\] .{0,80}There are test failures",
    TREE + r"There were failing tests\. See the report at",  # Gradle
    r"\d+ tests? completed, [1-9]\d* failed",
    r"\s{0,4}Failed! {1,4}- Failed: {1,8}[1-9]",  # .NET
    r"\s{0,8}Failed: [1-9]\d*$",
    (
        r"\d+ (?:examples?|runs|tests?)(?:, \d+ (?:passed|assertions|doctests?"
        r"|properties)){0,3}, [1-9]\d* failures?"
    ),
    r"\d+ runs, \d+ assertions, (?:[1-9]\d* failures|0 failures, [1-9]\d* errors)",  # minitest
    r"(?:FAILURES|ERRORS)!$",  # PHPUnit
    r"Tests: \d+, Assertions: \d+, .{0,60}(?:Failures|Errors): [1-9]",
    r"\s{0,4}Tests: {1,8}[1-9]\d* failed",  # Pest
    r"The following tests FAILED:",  # CTest
    r"\d+% tests passed, [1-9]\d* tests? failed out of",
    r"\s{0,8}\d+ scenarios? \(.{0,40}[1-9]\d* failed",  # Cucumber
    r"\d+ features? passed, [1-9]\d* failed",  # behave
    r"Result: FAIL$",  # prove
    r"Test run failed|\*\* TEST FAILED \*\*",
)

TEST_RULES: tuple[Rule, ...] = (
    Rule(
        "tests_failed",
        first_of(stated("report"), settled(line(MAKES, *TESTS_FAILED))),
        "The project's own tests failed.",
        (LOGS,),
        home="build",
        check=(
            "The first test that failed, and what it expected: its name stands above the summary.",
            "Whether it fails on every run: one that depends on time, order or other services does not.",
            "What is different here: environment variables, versions, services that a test talks to.",
        ),
        done_when="All tests pass in the next build.",
        confidence="certain",
        example=failed("build", "npm ERR! code ECONNRESET\n====== 1 failed, 12 passed in 3.21s ======"),
        near_miss=failed("build", "====== 12 passed, 1 warning in 3.21s ======\nmake: *** [all] Error 2"),
    ),
    Rule(
        "no_tests_found",
        line(
            MAKES,
            r"No tests? (?:files )?found, exiting with code 1",
            r"=+ no tests ran in [\d.]+s",
            r"no tests ran in [\d.]+s",
            r"No test files found",
            r"Error: No test files found|Error: no tests found",
            r"No tests executed!",
            r"Ran 0 tests in [\d.]+s",
            TREE + r"No tests found for given includes",
            r"\[ERROR\] .{0,200}No tests (?:were executed|matching pattern)",
            r"No test is available in \S",
        ),
        "The test runner found no test to run, and takes that for a failure.",
        (LOGS,),
        home="build",
        check=(
            "Whether the tests are in the build at all: an ignore file may leave them out.",
            "The pattern or folder that the runner is given, and the folder that it runs in.",
        ),
        done_when="The runner's summary counts tests.",
        confidence="certain",
        example=failed("build", "No tests found, exiting with code 1\nRun with `--passWithNoTests` to exit"),
        near_miss=failed("build", "no tests ran for 3 packages, as asked\nmake: *** [all] Error 2"),
    ),
    Rule(
        "coverage_too_low",
        line(
            MAKES,
            r"(?:FAIL|ERROR:) Required test coverage of ",
            r"(?:Jest: |ERROR: )?\"?(?:global|\S{1,200})\"? coverage threshold for ",
            r"ERROR: Coverage for \w{1,20} \([\d.]{1,6}%\) does not meet",
            r"Coverage failure: total of ",
            r"\[ERROR\] .{0,100}(?:Coverage checks have not been met|Rule violated for bundle)",
            TREE + r"Rule violated for bundle ",
            r"(?:SimpleCov failed with|Line coverage \([\d.]{1,6}%\) is below)",
        ),
        "The tests passed, and cover less of the source than the project asks for.",
        (LOGS,),
        home="build",
        check=("Which files are covered less than before: the report above lists them.",),
        done_when="The coverage that is printed reaches the limit.",
        confidence="certain",
        example=failed("build", "FAIL Required test coverage of 80% not reached. Total coverage: 74.31%"),
        near_miss=failed("build", "TOTAL 120 30 75%\nmake: *** [all] Error 2"),
    ),
)
