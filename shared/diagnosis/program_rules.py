"""Rules about a program's own parts: its modules, its text, its files, and what its interpreter throws.

They read what an interpreter or a shell itself prints, never words that any program may log.
"""

import re

from shared.diagnosis.bare_log import built
from shared.diagnosis.evidence import Case, Phase
from shared.diagnosis.last_words import (
    PROGRAMS,
    SCRIPTS,
    SERVES,
    broken_inwardly,
    dying,
    last_words,
    said,
    tells,
)
from shared.diagnosis.rule import IN_THE_END, Finding, Rule, ended, first_of, line
from shared.diagnosis.sample import failed

RUNS: frozenset[Phase] = PROGRAMS - SERVES
LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
SHELL = (  # "sh: 1: ", "./entry.sh: line 3: ", "script: 3: "
    r"(?:\S{0,100}/)?(?:sh|bash|dash|ash|zsh|ksh|script|entry\w{0,20}|[\w.-]{1,60}\.sh): (?:line"
    r" )?(?:\d{1,6}: )?"
)
STARTED = "The service starts, and the next run gets past its rollout."
_ENDS = re.compile(
    r"Traceback \(most recent call last\)|panic: |Exception in thread |Uncaught |thread '|PHP Fatal error: "
    r"|Fatal error: |Unhandled exception\. |terminate called |fatal error: |\*\* \(\w|Node\.js v\d"
    r"|\S{1,200}:\d{1,6}:in .{1,300} \([A-Z]\w{1,60}\)$|APPLICATION FAILED TO START|rake aborted!|error:"
    r" Uncaught "
    r"|bundler: failed to load command: |CommandError: |.{0,200}: Application run failed$|Fatal Python"
    r" error: |Error: A fatal exception has occurred"
)


def _uncaught(case: Case) -> Finding | None:
    """Find the error that ended the program, where no rule knows it by name."""
    if case.phase not in PROGRAMS and case.phase != "unknown":
        return None
    if not tells(case) or broken_inwardly(case):
        return None
    places = last_words(case)
    place = next((place for place in places if _ENDS.match(case.lines[place])), None)
    if place is None:
        return None
    return Finding(IN_THE_END - 1, (place, *_message(case, place)))


def _message(case: Case, place: int) -> tuple[int, ...]:
    """Return where it says what was thrown: under a traceback, above the version that Node ends with."""
    text = case.lines[place]
    if text.startswith("Traceback"):
        below = range(place + 1, len(case.lines))
        return tuple(n for n in below if not case.lines[n].startswith((" ", "Traceback")))[:1]
    if text.startswith("Node.js"):
        above = range(place - 1, -1, -1)
        return tuple(n for n in above if re.match(r"\w{0,60}Error\b", case.lines[n]))[:1]
    return ()


_RULES: tuple[Rule, ...] = (
    Rule(
        "start_file_missing",
        first_of(
            dying(
                PROGRAMS,
                r"Error: Cannot find module '/[^']{1,300}'",
                r"Error: Unable to access jarfile ",
                r"Error: '[^']{1,200}' doesn't exist$",  # gunicorn's own settings
                r"Error: Could not find or load main class ",
                r"no main manifest attribute, in ",
                r"ERROR: {1,8}Error loading ASGI app\. (?:Could not import module|Attribute )",
                r"Failed to find attribute '\w{1,80}' in '",  # gunicorn
                r"Could not open input file: ",  # PHP
                r"ruby: No such file or directory -- ",
                r"\S{1,200}: can't open file ",  # Python
                r"python\d?(?:\.\d{1,2})?: No module named ",
                r"Error: Could not find a production build in the '\.next' directory",
                r"(?:npm (?:ERR!|error)|error) .{0,20}[Mm]issing script: [\"']?start\b",
            ),
            line(PROGRAMS, SHELL + r"(?:0: )?(?:cannot open|can't open) "),
            line(SERVES, r"npm (?:ERR!|error) Missing script: "),
        ),
        "What the start command names is not there: the build did not write it, or it is in another folder.",
        (LOGS,),
        home="rollout",
        check=(
            "The path in the start command, against what the artifact holds.",
            "Whether the build writes that file, into the folder that becomes the artifact.",
            "Whether module and object have the names that the start command uses.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed("rollout", "Error: Cannot find module '/app/dist/server.js'", exit_code=1),
        near_miss=failed("rollout", "Error: Cannot find module 'express'", exit_code=1),
    ),
    Rule(
        "interpreter_of_another_version",
        dying(
            PROGRAMS,
            r".{0,80}\bUnsupportedClassVersionError: ",
            r"Unrecognized VM option '",
            r"Error \[ERR_UNKNOWN_BUILTIN_MODULE\]: No such built-in module: node:",
            r"Your Ruby version is [\d.]{1,20}, but your Gemfile specified ",
            r"You must install or update \.NET to run this application",
            r"Composer detected issues in your platform: ",
            r"SyntaxError: (?:Missing parentheses in call to 'print'|Unexpected token '(?:\?\?=|\|\|=|\?\.))",
        ),
        "The program needs another version of its language than the one that runs it.",
        (LOGS,),
        home="rollout",
        check=(
            (
                "The version of the interpreter on the target, against the one the program was built and"
                " tested with."
            ),
            "Whether the project pins its version, and whether the build and the target both follow it.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed("rollout", "Error [ERR_UNKNOWN_BUILTIN_MODULE]: No such built-in module: node:sqlite"),
        near_miss=failed("rollout", "Error: Cannot find module 'sqlite'"),
    ),
    Rule(
        "module_kinds_mixed",
        dying(
            PROGRAMS,
            r"SyntaxError: (?:Cannot use import statement outside a module|Unexpected token 'export')",
            r"Error \[ERR_REQUIRE_(?:ESM|ASYNC_MODULE)\]: ",
            r"ReferenceError: (?:require|module|exports|__dirname) is not defined",
            r"TypeError \[ERR_UNKNOWN_FILE_EXTENSION\]: ",
        ),
        "A file is loaded as another kind of module than it is written as (CommonJS, ECMAScript,"
        " TypeScript).",
        (LOGS,),
        home="rollout",
        check=(
            'Whether package.json says "type": "module" where files use import, and only there.',
            "Whether the start command runs what the compiler wrote, and not the source.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed("rollout", "SyntaxError: Cannot use import statement outside a module"),
        near_miss=failed("rollout", "SyntaxError: missing ) after argument list"),
    ),
    Rule(
        "module_missing",
        dying(
            PROGRAMS,
            r"ModuleNotFoundError: ",
            r"ImportError: (?!.{0,200}(?:\.so\b|DLL load))",
            r"(?:Error: |Error \[ERR_MODULE_NOT_FOUND\]: |Uncaught Error: )?Cannot find (?:module|package)"
            r" ['\"]",
            r".{0,200}cannot load such file -- ",  # Ruby
            r"(?:\S{1,200}:\d{1,6}:in .{1,60}: )?Could not find .{1,200} in (?:any of the sources|locally"
            r" inst|cached g)",
            r".{0,80}java\.lang\.(?:ClassNotFoundException|NoClassDefFoundError): ",
            r"(?:PHP )?(?:Fatal error|Warning): .{0,100}(?:Failed opening required"
            r"|require\w{0,5}\().{0,200}vendor",
            r"(?:PHP )?Fatal error: .{0,20}Uncaught Error: Class \"",
            r"\[ERROR\] Runtime\.ImportModuleError: ",
            r"Unhandled exception\. System\.IO\.FileNotFoundException: Could not load file or assembly ",
            r"Error: Cannot find module '",
        ),
        "The program imports a module that is not part of the artifact: a dependency is not declared, or"
        " is not installed by the build.",
        (LOGS,),
        home="rollout",
        check=(
            (
                "Whether the module that the line names is declared as a dependency, and not only for"
                " development."
            ),
            "Whether the build installs the dependencies into the folder that becomes the artifact.",
            "Whether its name is spelt as it is in the file system, capitals too.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed("rollout", "ModuleNotFoundError: No module named 'enotfound_x'", exit_code=1),
        near_miss=failed("rollout", "Error: Cannot find module '/app/dist/server.js'", exit_code=1),
    ),
    Rule(
        "syntax_error",
        first_of(
            dying(
                PROGRAMS,
                r"(?:SyntaxError|IndentationError|TabError): ",
                r"(?:PHP )?Parse error: ",
                r"\S{1,200}:\d{1,7}: syntax errors? ",  # Ruby
                r"TSError: .{0,6}Unable to compile TypeScript",
            ),
            line(PROGRAMS, r"(?:" + SHELL + r"|\S{1,100}: line \d{1,6}: )(?i:syntax error)\b"),
        ),
        "The program's own text is not valid in its language, or needs a newer version of it.",
        (LOGS,),
        home="rollout",
        check=(
            "The line and the place in it that the message names.",
            "Whether the interpreter is as new as the text asks for.",
        ),
        done_when=STARTED,
        example=failed("rollout", "SyntaxError: missing ) after argument list"),
        near_miss=failed("rollout", "parser: SyntaxError: in a customer's template, skipped"),
    ),
    Rule(
        "parts_not_wired",
        first_of(
            dying(
                SERVES | {"build"},
                r"(?:\[Nest\] .{0,120})?(?:Error: )?Nest can't resolve dependencies of ",
                r"(?:Error: |UnknownDependenciesException.{0,20}: )Nest ",
                r"(?:Parameter \d{1,3} of (?:constructor|method)|Field \w{1,80}) in \S{1,200} required a"
                r" (?:bean|single bean)",
                r"The dependencies of some of the beans in the application context form a cycle",
                r"Unhandled exception\. System\.(?:AggregateException: Some services are not able"
                r"|InvalidOperationException: Unable to resolve service)",
            ),
            said(
                SERVES,
                r"NoSuchBeanDefinitionException: ",
                r"NoUniqueBeanDefinitionException: ",
                r"UnsatisfiedResolutionException",
                r"AppRegistryNotReady",
                r"Target class \[.{1,120}\] does not exist",
            ),
        ),
        "A part that the program is put together from is not declared, or asks for one that is not there.",
        (LOGS,),
        home="rollout",
        check=(
            "The part that the message names: whether it is declared, in a module that is loaded.",
            "Whether a profile or setting of this stage leaves it out.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed(
            "rollout", "Error: Nest can't resolve dependencies of the OrdersService (?).", exit_code=1
        ),
        near_miss=failed("rollout", "Error: can't resolve the customer's address", exit_code=1),
    ),
    Rule(
        "uncaught_error",
        _uncaught,
        "The program ended with an error of its own.",
        (LOGS,),
        home="rollout",
        check=(
            "The place in the program that stands with the error: the lowest one that is its own code.",
            "What is different here from where it works: settings, data, versions.",
        ),
        done_when=STARTED,
        example=failed("rollout", "Traceback (most recent call last):\n  x\nValueError: 3", exit_code=1),
        near_miss=failed("rollout", "ERROR payment declined", exit_code=1),
    ),
    Rule(
        "script_failed",
        ended("process", SCRIPTS),
        "A command of the step ended with an error.",
        (LOGS,),
        check=(
            (
                "The last lines: a script ends at its first command that fails, so the command before the end"
                " is it."
            ),
            "Whether the same command works by hand, with the same variables.",
        ),
        done_when="The step's commands all end with 0.",
        confidence="guess",
        example=failed("deploy", "boom", exit_code=4),
        near_miss=failed("rollout", "boom", exit_code=4),
    ),
)
PROGRAM_RULES: tuple[Rule, ...] = tuple(map(built, _RULES))
