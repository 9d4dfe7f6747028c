"""Rules about settings: environment variables that a program needs and does not find, or cannot read."""

import re

from shared.diagnosis.bare_log import built
from shared.diagnosis.evidence import Case
from shared.diagnosis.last_words import PROGRAMS, dying, last_words, said, tells
from shared.diagnosis.program_rules import SHELL, STARTED
from shared.diagnosis.rule import Find, Finding, Rule, first_of, line
from shared.diagnosis.sample import failed

LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
ABOVE = 12  # lines of a traceback in which a KeyError's lookup stands
BELOW = 40  # lines of a report of settings that are checked together

NAME = r"['\"`]?[A-Z][A-Z0-9]{0,40}_?[A-Z0-9_]{1,80}['\"`]?"  # of a variable
LACKING = (
    r"(?:is |was |are |were |must be |has |been |to be |not |un|should |cannot be |can't be ){0,4}"
    r"(?:set\b|unset\b|missing\b|required\b|defined\b|undefined\b|specified\b|provided\b|empty\b|found\b)"
)
_CHECKED = re.compile(  # a class of settings, checked at once: pydantic
    r"(?:pydantic_core\._pydantic_core|pydantic\.error_wrappers)\.ValidationError: \d{1,4} validation"
    r" errors? for \w{0,60}(?:[Ss]ettings|[Cc]onfig|[Ee]nv)\w{0,60}"
)
_LACKS = re.compile(r" {1,8}[Ff]ield required\b")
_ZOD = re.compile(r"(?:Uncaught )?\[?(?:\w{0,20}Error \[)?\$?Zod(?:Real)?Error\]?: \[")
_ZOD_NAME = re.compile(r" {1,20}\"[A-Z][A-Z0-9_]{1,80}\"$")
_ZOD_LACKS = re.compile(
    r" {1,20}(?:\"message\": \".{0,80}(?:received undefined|Required)|\"received\": \"undefined\")"
)


def _looked_up(case: Case) -> Finding | None:
    """Find a KeyError of the environment, by the traceback above it: a program's own data has them too."""
    if not _read(case):
        return None
    for place in last_words(case):
        if re.match(r"KeyError: '[A-Za-z_]\w{1,100}'$", case.lines[place]):
            above = case.lines[max(0, place - ABOVE) : place]
            if any("environ" in text or "<frozen os>" in text for text in above):
                return Finding(place, (place,))
    return None


def _checked(*, lacking: bool) -> Find:
    """Find settings that were checked together: those that are lacking, or those that cannot be read."""

    def find(case: Case) -> Finding | None:
        for place in last_words(case) if _read(case) else ():
            below = case.lines[place + 1 : place + BELOW]
            if _CHECKED.match(case.lines[place]) and any(map(_LACKS.match, below)) is lacking:
                return Finding(place, tuple(range(place, min(place + 3, len(case.lines)))))
        return None

    return find


def _zod(*, lacking: bool) -> Find:
    """Find the same in what Zod says: only upper-case names are of the environment."""

    def find(case: Case) -> Finding | None:
        for place in last_words(case) if _read(case) else ():
            if not _ZOD.match(case.lines[place]):
                continue
            below = case.lines[place + 1 : place + BELOW]
            name = next((n for n, text in enumerate(below) if _ZOD_NAME.match(text)), None)
            if name is not None and any(map(_ZOD_LACKS.match, below)) is lacking:
                return Finding(place, (place, place + 1 + name))
        return None

    return find


def _read(case: Case) -> bool:
    return (case.phase in PROGRAMS or case.phase == "unknown") and tells(case)


_RULES: tuple[Rule, ...] = (
    Rule(
        "variable_missing",
        first_of(
            _looked_up,
            _checked(lacking=True),
            _zod(lacking=True),
            line(
                PROGRAMS,
                SHELL + r"[A-Za-z_]\w{0,100}: (?:parameter (?:not set|null or not set)|unbound variable)",
                SHELL + r"[A-Z][A-Z0-9_]{2,100}: (?!(?:command )?not found|[Pp]ermission|No such)\S",
            ),
            dying(
                PROGRAMS,
                r"(?:decouple\.)?UndefinedValueError: ",
                r"environs\.(?:exceptions\.)?EnvError: ",
                r"django\.core\.exceptions\.ImproperlyConfigured: (?:Set the |The SECRET_KEY setting)",
                r"Error: Config validation error: .{0,200}is required",  # Joi
                r" {0,2}(?:Missing|Invalid) environment variables:",  # envalid
                r"(?:\S{1,3} )?(?:Error: )?Invalid environment variables",  # t3-env
                r"(?:error: )?Environment variable not found: ",  # Prisma
                r"EnvVarError: env-var: ",
                r"MissingEnvVarsError: ",
                r"No application encryption key has been specified",  # Laravel
                r"error while interpolating .{0,200}required variable ",  # Compose
                r"required variable \w{1,80} is missing a value",
                r"Failed to configure a DataSource: 'url' attribute is not specified",
                r"(?:Dotenv\\Exception\\ValidationException: )?One or more environment variables failed ",
                r"(?:Error: )?No value for required variable$",
            ),
            dying(
                PROGRAMS,
                NAME + r" (?:environment variable |env var |variable )?" + LACKING,
                r"(?:[Mm]issing|[Rr]equired|[Uu]ndefined|[Uu]nset) (?:required )?(?:[Ee]nvironment|[Ee]nv)"
                r" (?:variable|var)s?\b",
            ),
            said(
                PROGRAMS,
                r"\b(?:[Mm]issing|[Rr]equired|[Uu]ndefined|[Uu]nset) (?:required )?(?:[Ee]nvironment|[Ee]nv)"
                r" (?:variable|var)s?\b",
                r"\b(?:[Ee]nvironment|[Ee]nv) (?:variable|var)s? .{0,100}?\b" + LACKING,
                r"(?:: |^)(?:" + NAME + r") (?:environment variable |env var |variable )?" + LACKING,
                r"\d (?:" + NAME + r") (?:environment variable |env var |variable )?" + LACKING,
                r"\brequired key [A-Z0-9_]{2,80} missing value",  # envconfig
                r"\benv: (?:required )?environment variable ",
                r"Could not resolve placeholder '",  # Spring
                r"SRCFG00014: ",  # SmallRye
                r"key not found: \"[A-Z][A-Z0-9_]{1,80}\"",  # Ruby's ENV.fetch
                r"Dotenv::MissingKeys",
                r"Missing `secret_key_base` for ",
                r"EnvNotFoundException",
            ),
        ),
        "The program needs an environment variable that is not set for this step.",
        (LOGS,),
        home="rollout",
        check=(
            "Whether the step's env gives the variable that the line names, under that very name.",
            (
                "Whether the stage's value of it is set, and the secret that it comes from exists for this"
                " stage."
            ),
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed("rollout", "Error: STRIPE_SECRET_KEY is not set\nNode.js v20.1.0", exit_code=1),
        near_miss=failed("rollout", "Traceback (most recent call last):\n  row[x]\nKeyError: 'TOTAL'"),
    ),
    Rule(
        "variable_unreadable",
        first_of(
            _checked(lacking=False),
            _zod(lacking=False),
            dying(
                PROGRAMS,
                r"(?:\S{1,3} )?(?:Error: )?Invalid environment variables?: .{0,300}(?:must be|invalid)",
                r"environs\.(?:exceptions\.)?EnvValidationError: ",
                r"ValueError: Invalid (?:truth value|env)",
            ),
            said(
                PROGRAMS,
                r"\benv: parse error on field ",
                r"\benvconfig\.Process: assigning ",
                r"Failed to bind properties under '",
            ),
        ),
        "A setting has a value that the program cannot read: a word where it needs a number, and the like.",
        (LOGS,),
        home="rollout",
        check=(
            "The value of the setting that the message names, as this stage gives it.",
            "Whether quotes or spaces became part of the value.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed(
            "rollout",
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\nrequest_timeout\n"
            "  Input should be a valid integer [type=int_parsing, input_value='30s', input_type=str]",
            exit_code=1,
        ),
        near_miss=failed(
            "rollout",
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\ndatabase_url\n"
            "  Field required [type=missing, input_value={}, input_type=dict]",
            exit_code=1,
        ),
    ),
)
SETTING_RULES: tuple[Rule, ...] = tuple(map(built, _RULES))
