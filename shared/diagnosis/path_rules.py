"""Rules about what a build or step looks for and does not find: commands, files, folders, project files."""

from shared.diagnosis.evidence import Case, Phase
from shared.diagnosis.rule import Rule, ended, first_of, line
from shared.diagnosis.sample import failed
from shared.diagnosis.tool_words import BUILT, MAKES, NPM, PNPM, SHELL, TREE

PROGRAMS: frozenset[Phase] = MAKES | frozenset({"rollout"})


def _last_said(case: Case, place: int) -> bool:
    """Tell a command that was not found and got over: something else was printed for long after it."""
    return len(case.lines) - place > 40


PATH_RULES: tuple[Rule, ...] = (
    Rule(
        "manifest_missing",
        line(
            MAKES,
            NPM + r"enoent Could not read package\.json",
            PNPM + r"(?:NO_PKG_MANIFEST|NO_IMPORTER_MANIFEST\w{0,20})\b",
            r"error (?:Couldn't find a package\.json file|No lockfile in this directory)",
            r"(?:Usage|Internal) Error: (?:The nearest package directory|No project found in)",
            r"error: Bun could not find a package\.json",
            r"ERROR: (?:Could not open requirements file|Directory '.{1,300}' is not installable"
            r"|Invalid requirement: '\S{1,80}"
            r"\.txt')",
            r"ERROR: File \"?(?:setup\.py|setup\.cfg|pyproject\.toml)",
            r"\s{0,8}(?:Poetry could not find a pyproject\.toml|Error: No file/folder found for package)",
            r"error: No `pyproject\.toml` found in ",
            TREE + r"(?:error: )?(?:could not find `Cargo\.toml`|manifest path `.{1,300}` does not exist)",
            (
                r"go: (?:go\.mod file not found|cannot find main module|no modules (?:were )?(?:found"
                r"|specified))"
            ),
            (
                r"(?:pattern|directory) \S{1,200}(?:: (?:directory )?(?:prefix|not found|no Go files)"
                r"| (?:prefix|outside))"
            ),
            r"no Go files in ",
            r"package \S{1,200} is not a main package",
            r"\[ERROR\] (?:The goal you specified requires a project|POM file .{1,300} specified with)",
            TREE + r"Directory '.{1,300}' does not contain a Gradle build",
            r"Could not locate Gemfile",
            r"Composer could not find a composer\.json",
            r"MSBUILD : error MSB10(?:03|09): ",
            r"(?:g?make(?:\[\d{1,3}\])?: )\*\*\* No targets specified and no makefile found",
            r"(?:g?make(?:\[\d{1,3}\])?: )(?:\*\*\* )?(?:Makefile|\S{1,100}\.mk): No such file",
            r"error: (?:No )?Cargo\.toml|\[?Error: Could not find (?:config|project) file",
        ),
        "A tool was run in a folder in which its project file is not.",
        ("git ls-files | grep -E 'package.json|pyproject.toml|Cargo.toml|go.mod|pom.xml'",),
        home="build",
        check=(
            "The folder that the command runs in: the project file may be one further down.",
            "Whether the file was committed, and is not left out by an ignore file or a .dockerignore.",
        ),
        done_when=BUILT,
        confidence="certain",
        example=failed("build", "npm error code ENOENT\nnpm error enoent Could not read package.json: Error"),
        near_miss=failed("build", "npm error code EJSONPARSE\nnpm error JSON.parse package.json"),
    ),
    Rule(
        "command_not_found",
        first_of(
            line(
                PROGRAMS,
                SHELL + r"(?:\S{1,200}: )?(?:not found|command not found|inaccessible or not found)$",
                SHELL + r"\S{1,200}: (?:not found|command not found)$",
                r"(?:\S{1,60}: )?\S{1,100}: command not found$",
                r"env: ['\u2018`]?\S{1,100}['\u2019]?: No such file or directory",
                r"/usr/bin/env: ['\u2018`]?.{1,100}['\u2019]?: No such file or directory",
                SHELL + r"\S{1,200}: (?:/\S{1,100}: )?bad interpreter: ",
                r"(?:g?make(?:\[\d{1,3}\])?: )\S{1,100}: No such file or directory",
                NPM + r"spawn \S{1,100} ENOENT",
                r".{0,300}exec: \"\S{1,200}\": executable file not found in \$PATH",
                r"sudo: \S{1,100}: command not found",
                r"xargs: \S{1,100}: No such file or directory",
                unless=_last_said,
            ),
            ended("process", PROGRAMS, codes={127}),
        ),
        "The command does not exist where it was run: it is not installed, not built, or misspelt.",
        ("command -v COMMAND", "echo $PATH"),
        home="build",
        check=(
            "The name in the message: whether it is spelt right, and which package brings it.",
            "Whether it is installed where the step runs, and not only where it was written.",
            (
                "For a tool of the project (node_modules/.bin, .venv/bin): whether dependencies "
                "were installed before,"
                " those for development too."
            ),
        ),
        done_when="`command -v` gives its path where the step runs.",
        confidence="certain",
        example=failed("build", "> tsc -p .\nsh: 1: tsc: not found", exit_code=127),
        near_miss=failed("build", "which: no pigz in (/usr/bin)\nmake: *** [all] Error 2", exit_code=2),
    ),
    Rule(
        "command_not_executable",
        first_of(
            line(
                PROGRAMS,
                SHELL + r"\S{1,300}: (?:Permission denied|cannot execute(?:: required file not found"
                r"| binary file.{0,60})?)$",
                SHELL + r"\S{1,300}: Is a directory$",
                r"\[?Error: spawn \S{1,200} EACCES",
                r"(?:g?make(?:\[\d{1,3}\])?: )\S{1,100}: Permission denied",
            ),
            ended("process", PROGRAMS, codes={126}),
        ),
        "The command's file was found but may not be executed, or is for another kind of machine.",
        ("git update-index --chmod=+x FILE", "file FILE"),
        home="build",
        check=(
            (
                "Whether the file is marked as executable in the repository: `git ls-files "
                "-s FILE` begins with 100755."
            ),
            (
                "Whether its first line names an interpreter that is here, and does not "
                "end as Windows ends lines."
            ),
        ),
        done_when="The file runs where the step runs.",
        confidence="certain",
        example=failed("build", "sh: 1: ./scripts/build.sh: Permission denied", exit_code=126),
        near_miss=failed("build", "cat: /etc/shadow: Permission denied", exit_code=1),
    ),
    Rule(
        "path_missing",
        line(
            MAKES,
            r"(?:cp|mv|ls|ln|rm|stat|cat|head|tail|sed|grep|awk|chmod|chown|tar|zip|gzip|gunzip"
            r"|unzip|install|touch|mkdir|"
            r"rmdir|realpath|readlink|find|sort|wc|diff|patch|rsync|sha256sum|base64|source|du"
            r"|dos2unix|file|od|sponge)"
            r": .{1,300}(?:No such file or directory|cannot find or open|[Nn]ot a directory|does not exist)",
            r"(?:cp|mv|install): (?:cannot stat|target|missing) ",
            r"zip error: (?:Nothing to do|.{0,60}no files)|zip warning: name not matched: ",
            r"unzip: {1,3}cannot find ",
            SHELL + r"(?:cd|source|\.|pushd): .{1,300}(?:No such file|[Nn]ot found|can't cd|Not a directory)",
            SHELL + r".{1,300}: No such file or directory$",
            SHELL + r"(?:cannot open|can't open) ",
            r"\S{1,200}: can't open file ",  # Python
            r"(?:\[?Error: )?ENOENT: no such file or directory",
            r"(?:gcc|g\+\+|cc|clang|clang\+\+|javac|rustc|protoc|sass|tsc|node|ruby|perl"
            r"|php): (?:fatal )?(?:error: )?.{1,200}"
            r"(?:No such file or directory|[Ff]ile not found|Could not open input file)",
            r"Could not open input file: ",
            r"error TS(?:5058|18003|6053|5057|5083): ",
            r"(?:Could not make proto path relative|Could not find a production build)",
            r"rsync: (?:\[\w{1,20}\] )?(?:link_stat|change_dir) .{1,300} failed: No such file",
            r"The user-provided path .{1,300} does not exist",  # aws s3
            r"error: (?:couldn't read|file not found: ) ?",
            r"(?:\S{1,60}: )?fatal: (?:could not read|cannot open) '",
        ),
        "A file or folder is used that is not there: it was not made before, not committed, or looked for in"
        " another folder.",
        ("git ls-files PATH", "pwd; ls -la"),
        home="build",
        check=(
            "The path in the message, and the folder that the command runs in.",
            "Whether an earlier command should have made it, and where it puts what it makes.",
            "Whether it was committed; and the letters' case, which counts here.",
        ),
        done_when=BUILT,
        example=failed("build", "cp: cannot stat 'dist': No such file or directory", exit_code=1),
        near_miss=failed("build", "rm: removed 'dist'\nmake: *** [all] Error 2", exit_code=2),
    ),
)
