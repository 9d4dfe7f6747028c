"""Rules about the tools of a build: their version, what they lack, scripts that are not there, locks that
another holds, and native parts that do not get built.
"""

from shared.diagnosis.rule import Rule, line
from shared.diagnosis.sample import failed
from shared.diagnosis.tool_words import BUILDS, BUILT, GOT_OVER, MAKES, NPM, PNPM, TREE

TOOLCHAIN_RULES: tuple[Rule, ...] = (
    Rule(
        "language_version_unfit",
        line(
            MAKES,
            NPM + r"code EBADENGINE\b",
            PNPM + r"UNSUPPORTED_ENGINE\b",
            r"error .{1,200}: The engine \"\w{1,20}\" is incompatible",
            (
                r"ERROR: (?:Package .{1,200} requires a different Python: "
                r"|Ignored the following versions that require a diff)"
            ),
            r"ERROR: .{0,200}requires Python '",
            (
                r"\s{0,8}(?:Error: )?(?:The )?[Cc]urrent(?:ly activated)? (?:project's supported "
                r")?Python (?:version|range)"
            ),
            TREE
            + r"(?:Because )?the (?:current|requested) (?:Python )?version .{0,200}does not satisfy Python",
            TREE + r"Because the (?:current|requested) Python version ",
            r"error: The (?:Python request|requested interpreter) .{0,200}(?:incompatible|resolved to)",
            TREE + r"(?:error: )?(?:package `.{1,100}` cannot be built because it requires"
            r"|rustc \S{1,20} is not supported)",
            TREE + r"(?:error: )?feature `edition20\d\d` is required",
            r"go: (?:go\.mod|\S{1,200}) requires go >= ",
            r"go: (?:errors parsing go\.mod:.{0,200}invalid go version|download go\d)",
            (
                r"\[ERROR\] .{0,300}(?:invalid target release: |release version \d{1,2} not supported"
                r"|Source option \d)"
            ),
            (
                r"(?:error: )?(?:invalid (?:target|source) release: |error: release version \d{1,2} "
                r"not supported)"
            ),
            TREE + r"(?:.{0,200})Unsupported class file major version ",
            TREE + r"(?:No matching toolchains found|Cannot find a Java installation|Gradle requires JVM )",
            r"(?:Exception in thread \"main\" )?java\.lang\.UnsupportedClassVersionError",
            r"Your Ruby version is .{1,60}, but your Gemfile specified",
            r"\s{0,8}- .{0,200}your (?:php version|PHP version) \(",
            r".{0,300}error NETSDK1045: ",
            (
                r"(?:A compatible (?:installed )?\.NET (?:Core )?SDK|The (?:command"
                r"|SDK) .{1,80}) (?:was not found|for global)"
            ),
            (
                r"You are using Node\.js .{1,40}(?:For|Requires|required)|.{0,60}requires (?:at least "
                r")?Node\.js (?:version )?[v>=\d]"
            ),
            r"Error: Node(?:\.js)? version .{1,60}(?:is not supported|required)",
            following=2,
        ),
        "The language's version here is not one that the project, or a dependency of it, takes.",
        ("node --version", "python3 --version", "java -version", "go version"),
        home="build",
        check=(
            "The version that is asked for and the one that is here: both stand in the message.",
            "Where the build gets its version from: the base image, a version file, or what the machine has.",
        ),
        done_when="The version that the build prints is one that the project names.",
        confidence="certain",
        example=failed("build", 'npm error code EBADENGINE\nnpm error notsup Required: {"node":">=22"}'),
        near_miss=failed("build", "npm warn EBADENGINE Unsupported engine\nnpm error code E404"),
    ),
    Rule(
        "platform_unfit",
        line(
            MAKES,
            NPM + r"code EBADPLATFORM\b",
            PNPM + r"UNSUPPORTED_PLATFORM\b",
            r"error .{1,200}: The platform \"\w{1,20}\" is incompatible",
            r"ERROR: .{1,200} is not a supported wheel on this platform",
            TREE + r".{0,300}(?:no wheels? with a matching platform|can't be installed because "
            r"it doesn't have a source)",
            r"Your bundle only supports platforms ",
            r".{0,200}exec format error$",
            r"\[?Error: (?:Cannot find module '?@(?:rollup|esbuild|swc|next|img|parcel|biomejs"
            r"|tailwindcss|lightningcss)/"
            r"|You installed esbuild for another platform)",
            r"Error: Cannot find module \S{0,60}(?:-linux-|\.linux-)",
        ),
        "A package or program is for another system or processor than the one that it runs on here.",
        ("uname -sm", "docker build --platform linux/amd64 ."),
        home="build",
        check=(
            "Whether the lock file, or a folder of installed packages, was made on another kind of machine.",
            "Whether the base image is for this processor.",
        ),
        done_when=BUILT,
        example=failed(
            "build", "npm error code EBADPLATFORM\nnpm error notsup Unsupported platform for mac@1"
        ),
        near_miss=failed("build", "npm warn optional SKIPPING fsevents: platform\nnpm error code E404"),
    ),
    Rule(
        "build_target_missing",
        line(
            MAKES,
            NPM + r"(?:Missing script: |missing script: )",
            PNPM + r"(?:NO_SCRIPT|RECURSIVE_EXEC_FIRST_FAIL|NO_SCRIPT_OR_SERVER)\b",
            r"(?:ERR_PNPM_RECURSIVE_RUN_NO_SCRIPT|\s{0,2}Command \".{1,80}\" not found)",
            r"error Command \".{1,80}\" not found",
            r"Usage Error: Couldn't find a script named ",
            r"error: Script not found \"",
            r"Command not found: \S{1,80}$",  # Poetry
            r"error: Failed to spawn: ",  # uv
            r"(?:g?make(?:\[\d{1,3}\])?: )\*\*\* No rule to make target ",
            TREE + r"(?:Task|Project) '.{1,100}' (?:is ambiguous|not found) in ",
            (
                r"\[ERROR\] (?:Unknown lifecycle phase |Could not find the selected project"
                r"|No plugin found for prefix )"
            ),
            r"\[ERROR\] Could not find goal ",
            r"(?:rake|bundler:).{0,40}Don't know how to build task|Don't know how to build task '",
            r"\s{0,8}(?:Command \".{1,80}\" is not defined|Script .{1,80} is not defined)",
            TREE + r"(?:error: )?no (?:such command|bin target named|example target named)\b",
            r"error: no such (?:command|subcommand): ",
            (
                r"(?:just|task): .{0,80}(?:does not contain recipe|does not exist)"
                r"|error: Justfile does not contain recipe"
            ),
            r".{0,200}error (?:MSB4057|MSB4040): ",
        ),
        "The build asks for a script, target or task that the project does not have.",
        ("npm run", "make --print-data-base --question | grep '^[a-z].*:'"),
        home="build",
        check=(
            "The name in the message, and what the project's file calls it.",
            "Whether the command runs in the right folder of the repository.",
        ),
        done_when=BUILT,
        confidence="certain",
        example=failed("build", 'npm error Missing script: "build"'),
        near_miss=failed("build", "> shop@1.0.0 build\n> tsc\nsh: 1: tsc: not found"),
    ),
    Rule(
        "native_part_not_built",
        line(
            MAKES,
            r"gyp ERR! (?:build error|configure error|find (?:Python|VS)|not ok)",
            r"\s{0,8}(?:error: (?:subprocess-exited-with-error|metadata-generation-failed"
            r"|command '.{1,200}' failed)|"
            r"ERROR: Failed (?:building wheel|to build installable wheels) )",
            r"\s{0,8}(?:Error: pg_config executable not found|.{0,40}mysql_config: .{0,20}not found)",
            TREE + r"(?:Failed to build `|Call to `.{1,100}` failed)",
            r"(?:error: )?failed to run custom build command for ",
            r"error: linker `\S{1,60}` not found",
            (
                r"(?:Gem::Ext::BuildError: |ERROR:  ?Error installing .{1,100}:"
                r"|ERROR: Failed to build gem native extension)"
            ),
            r"An error occurred while installing .{1,100}, and Bundler cannot continue",
            r"cgo: C compiler .{1,60} not found",
            r"(?:\S{1,200}:\d{1,6}:\d{1,4}: )?fatal error: \S{1,120}: No such file or directory",
            r"(?:Package .{1,80} was not found in the pkg-config search path|No package '.{1,80}' found)",
            (
                r"(?:/\S{0,100}/)?(?:ld|collect2|lld|mold): (?:error: |cannot find -l"
                r"|.{0,200}undefined reference)"
            ),
            r"CMake Error at |CMake Error: ",
            r"configure: error: ",
            following=3,
        ),
        "A part in C, C++ or Rust has to be compiled for this machine, and that did not work: most often a"
        " compiler or the headers of a library are missing.",
        ("cc --version", "apt-get install -y build-essential", "apk add build-base"),
        home="build",
        check=(
            (
                "The first error above: a header (x.h) or library (-lx) that is named "
                "has a package with its headers."
            ),
            "Whether a version of the package is published ready-made for this language version and system.",
        ),
        done_when=BUILT,
        example=failed(
            "build", "gyp ERR! build error\ngyp ERR! stack Error: `make` failed with exit code: 2"
        ),
        near_miss=failed("build", "gyp info it worked if it ends with ok\nnpm error code E404"),
    ),
    Rule(
        "install_script_failed",
        line(
            BUILDS,
            NPM + r"path .{0,300}/node_modules/.{1,200}$",
            NPM + r"code (?:ELIFECYCLE|EALLOWSCRIPTS)\b",
            PNPM + r"(?:PREPARE_PACKAGE|LIFECYCLE|IGNORED_BUILDS)\w{0,40}",
            r"error /\S{1,300}: Command failed\.",
            r"(?:➤ )?YN0009: ",
            r"error: (?:install|postinstall|preinstall) script from \"",
            unless_later=GOT_OVER,
            following=2,
        ),
        "A script that a package runs when it is installed ended with an error.",
        ("npm explain PACKAGE",),
        home="build",
        check=(
            "What the script printed above: often it fetches or compiles something.",
            "Whether the package supports this system and this version of the language.",
        ),
        done_when=BUILT,
        example=failed(
            "build", "npm error code 1\nnpm error path /srv/b/node_modules/x\nnpm error command failed"
        ),
        near_miss=failed("build", "npm warn install script of x skipped\nnpm error code E404"),
    ),
    Rule(
        "package_lock_held",
        line(
            MAKES,
            r"E: (?:Could not get lock |Unable to (?:acquire|lock) )",
            r"(?:ERROR: )?Unable to lock database: ",  # apk
            TREE + r"Timeout waiting to lock ",  # Gradle
            r"(?:Another app is currently holding the yum lock|Error: Failed to obtain the transaction lock)",
        ),
        "Another process holds the lock of the package manager.",
        ("fuser -v /var/lib/dpkg/lock-frontend",),
        home="build",
        check=(
            "Which process holds it: often the system's own update, or another build on the same machine.",
            "Whether it still runs: what was killed leaves its lock behind.",
        ),
        done_when=BUILT,
        example=failed(
            "build", "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 71"
        ),
        near_miss=failed("build", "Waiting for the tests\nE: Unable to locate package lib-lock"),
    ),
    Rule(
        "manifest_invalid",
        line(
            MAKES,
            NPM + r"code (?:EJSONPARSE|EINVALIDPACKAGENAME|EINVALIDTAGNAME|EUNSUPPORTEDPROTOCOL)\b",
            PNPM + r"(?:JSON_PARSE|BROKEN_LOCKFILE|INVALID_\w{1,60})\b",
            r"ERROR: (?:Invalid requirement: |Exception:\s{0,4}tomllib)",
            (
                r"(?:error: )?(?:Failed to parse: |TOML parse error at line|failed to parse (?:manifest"
                r"|lock file) at)"
            ),
            TREE + r"(?:TOML parse error at line|failed to parse )",
            r"(?:\S{1,80}\.)?TOMLDecodeError: |Invalid TOML file ",
            r"\[(?:ERROR|FATAL)\] .{0,40}(?:Non-parseable POM|Malformed POM|Non-resolvable parent POM)",
            r"go: errors parsing go\.(?:mod|work):",
            r"\[!\] There was an error parsing `Gemfile`",
            (
                r"\s{0,8}(?:\"\./composer\.json\" does not (?:contain valid JSON"
                r"|match the expected JSON schema)|Parse error on line)"
            ),
            r".{0,300}error (?:MSB4025|MSB4067|MSB4019): ",
            TREE + r"Could not compile (?:build|settings) file ",
            r"(?:Makefile|GNUmakefile|\S{1,60}\.mk):\d{1,6}: \*\*\* missing separator",
            following=1,
        ),
        "A project file of a tool is not valid: it cannot be read as what it should be.",
        ("git log -1 -p -- MANIFEST",),
        home="build",
        check=("The place in the message: a comma, a quote, a merge marker, a blank in place of a tab.",),
        done_when=BUILT,
        confidence="certain",
        example=failed("build", "npm error code EJSONPARSE\nnpm error JSON.parse Unexpected token }"),
        near_miss=failed("build", "npm error code ENOENT\nnpm error enoent Could not read package.json"),
    ),
)
