"""Rules about files that a program or script works with: missing, not readable, not writable, not valid."""

from shared.diagnosis.bare_log import built
from shared.diagnosis.last_words import PROGRAMS, dying, said
from shared.diagnosis.program_rules import RUNS, SHELL, STARTED
from shared.diagnosis.rule import Find, Rule, first_of, line
from shared.diagnosis.sample import failed

LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
CHANGES = r"(?:cp|mv|mkdir|rm|touch|ln|tar|install|chmod|chown|cat|tee|sed|rsync|unzip): "


def _of_a_step(find: Find) -> Find:
    """Leave a bare log's shell words to the rules about paths: most often they are a build's."""
    return lambda case: find(case) if case.phase != "unknown" else None


_RULES: tuple[Rule, ...] = (
    Rule(
        "settings_file_broken",
        first_of(
            dying(
                PROGRAMS,
                r"(?:json\.decoder\.)?JSONDecodeError: ",
                r"yaml\.(?:scanner|parser|composer|constructor|reader)\.\w{1,40}Error: ",
                r"(?:tomllib|tomli|toml\.decoder)\.\w{0,20}DecodeError: ",
                r"configparser\.\w{1,60}: ",
                r"SyntaxError: .{0,200}(?:in JSON at position|is not valid JSON|Unexpected end of JSON"
                r" input)",
                r"\" is not valid JSON",
                r"SyntaxError: Unexpected token '.{1,4}', (?:\.{3})?\"",
                r"YAMLException: ",
                r"nginx: \[emerg\] (?:unknown directive|unexpected |invalid |directive |\"\w{1,60}\""
                r" directive)",
                r"\(?<unknown>\)?: did not find expected ",
            ),
            said(
                PROGRAMS,
                r"\bjson: cannot unmarshal ",
                r"\bjson: unknown field ",
                r"\binvalid character '.{1,3}' (?:looking for|after|in) ",
                r"\byaml: (?:line \d|unmarshal errors)",
                r"\btoml: (?:line \d|cannot )",
                r"Psych::SyntaxError",
                r"snakeyaml\.\w{1,20}\.\w{1,40}Exception|jackson\.\w{1,20}\.\w{0,40}(?:Parse|Mapping"
                r"|Format)Exc",
            ),
        ),
        "A file of settings or data is not valid in its own format.",
        (LOGS,),
        home="rollout",
        check=(
            "The place that the message names: a tab, a comma too many, a quote that does not end.",
            "Whether a template left a placeholder unfilled in the file.",
        ),
        done_when=STARTED,
        example=failed("rollout", "yaml.scanner.ScannerError: while scanning for the next token"),
        near_miss=failed("rollout", "SyntaxError: invalid syntax"),
    ),
    Rule(
        "file_missing",
        first_of(
            dying(
                PROGRAMS,
                r"FileNotFoundError: \[Errno 2\]",
                r"(?:Uncaught )?\[?Error: ENOENT: no such file",
                r"nginx: \[emerg\] (?:open\(\)|cannot load certificate) .{0,300}No such file",
                r" what\(\): .{0,20}cannot open ",
                r" {1,4}what\(\): {1,2}cannot open ",
            ),
            said(
                PROGRAMS,
                r"\bopen \S{1,300}: no such file or directory",
                r"No such file or directory @ rb_sysopen",
                r"java\.(?:io\.FileNotFound|nio\.file\.NoSuchFile)Exception",
                r"(?:Failed to open stream|failed to open stream): No such file",
                r"System\.IO\.(?:FileNotFound|DirectoryNotFound)Exception: Could not find ",
                r"kind: NotFound, message: \"No such file",
            ),
            _of_a_step(
                line(
                    RUNS - {"build"},
                    r"(?:cat|cp|mv|ls|tar|chmod|rm|install|source|sed|cd): .{0,300}: No such file or \w{9}$",
                    r"(?:cp|mv|ls|stat): cannot (?:stat|access|open) ",
                    SHELL + r"(?:cd: )?[^ :]{1,200}: No such file or directory$",
                )
            ),
        ),
        "The program opens a file that is not there: it is not part of the artifact, or is looked for in"
        " another folder.",
        (LOGS,),
        home="rollout",
        check=(
            "Whether the file that the line names is in the repository, and in what the build packs.",
            "Whether the path is meant from the folder that the program is started in.",
        ),
        done_when=STARTED,
        example=failed("rollout", "FileNotFoundError: [Errno 2] No such file or directory: 'config.toml'"),
        near_miss=failed("rollout", "ModuleNotFoundError: No module named 'config'"),
    ),
    Rule(
        "permission_denied",
        first_of(
            dying(
                PROGRAMS,
                r"PermissionError: \[Errno 1?3?1?\] (?!.{0,100}error while attempting to bind)",
                r"(?:Error: )?EACCES: permission denied",
                r"npm (?:ERR!|error) code EACCES\b",
            ),
            said(
                PROGRAMS,
                r"\bopen \S{1,300}: permission denied",
                r"java\.(?:nio\.file\.AccessDenied|io\.FileNotFound)Exception: .{0,200}\(Permission denied\)",
                r"Permission denied @ ",
            ),
            line(
                PROGRAMS,
                SHELL + r".{0,200}[Pp]ermission denied$",
                r"(?:cp|mv|mkdir|rm|touch|ln|tar|install|chmod|chown|cat): .{0,200}: (?:Permission denied"
                r"|Operation not permitted)$",
            ),
        ),
        "The program may not read, write or execute something that it needs.",
        (LOGS,),
        home="rollout",
        check=(
            "Who owns the file or folder that the line names, and as whom the program runs.",
            "Whether the program should write there at all: its own folder, or $HOME, is writable.",
        ),
        done_when=STARTED,
        example=failed("rollout", "PermissionError: [Errno 13] Permission denied: '/var/lib/x'"),
        near_miss=failed("rollout", "ERROR audit: permission denied for customer 17", exit_code=3),
    ),
    Rule(
        "file_system_read_only",
        first_of(
            line(
                PROGRAMS,
                CHANGES + r".{0,300}: Read-only file system",
                SHELL + r".{0,200}: Read-only file system",
            ),
            dying(PROGRAMS, r"OSError: \[Errno 30\]", r"(?:Uncaught )?Error: EROFS: "),
            said(PROGRAMS, r": read-only file system"),
        ),
        "The program writes to a file system that may only be read.",
        ("findmnt --target PATH",),
        home="rollout",
        check=(
            "Whether it should write there: many containers may only write to what is mounted for it.",
            "Whether the disk was made read-only after a fault of its own: the host's log tells.",
        ),
        done_when="The path is on a file system that may be written to, and the step passes.",
        confidence="certain",
        example=failed(
            "deploy", "mkdir: cannot create directory 'releases': Read-only file system", exit_code=1
        ),
        near_miss=failed("deploy", "mounted read-only file system /srv/data", exit_code=1),
    ),
    Rule(
        "file_in_use",
        first_of(
            line(
                PROGRAMS,
                CHANGES + r".{0,300}: (?:Text file busy|Device or resource busy)",
                SHELL + r".{0,200}: Text file busy",
            ),
            dying(PROGRAMS, r"OSError: \[Errno (?:26|16)\]", r"(?:Uncaught )?Error: (?:ETXTBSY|EBUSY): "),
        ),
        "A file is to be changed that a running program still uses.",
        ("fuser -v FILE",),
        home="deploy",
        check=(
            "Which program uses it: the running release, most often.",
            "Whether the new file can be put beside the old one and then renamed over it.",
        ),
        done_when="The step passes while the program runs.",
        confidence="certain",
        example=failed("deploy", "cp: cannot create regular file './server': Text file busy", exit_code=1),
        near_miss=failed("deploy", "text file busy day: 3 orders", exit_code=1),
    ),
)
FILE_RULES: tuple[Rule, ...] = tuple(map(built, _RULES))
