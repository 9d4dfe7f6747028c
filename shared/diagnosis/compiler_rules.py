"""Rules about source that a build refuses: types, imports, syntax, linters, bundlers."""

from shared.diagnosis.rule import Rule, line
from shared.diagnosis.sample import failed
from shared.diagnosis.tool_words import BUILDS, BUILT, LOGS, TREE

PLACE = r"(?:\[?(?:ERROR|error)\]?:? )?[^\s:(][^:(]{0,200}[(:]\d{1,7}[,:]\d{1,5}\)?"  # file:1:2, file(1,2)

COMPILER_RULES: tuple[Rule, ...] = (
    Rule(
        "warnings_taken_for_errors",
        line(
            BUILDS,
            r"Treating warnings as errors because process\.env\.CI = true",
            r".{0,200}(?:error: )?warnings being treated as errors",
            r"cc1\w{0,10}: (?:all|some) warnings being treated as errors",
            r".{0,20}ESLint found too many warnings \(maximum: \d",
            following=2,
        ),
        "The build takes warnings for errors, and there is a warning.",
        (LOGS,),
        home="build",
        check=(
            "The warnings above: each names its file and line.",
            "Whether the build is meant to be so strict: CI=true, -Werror and --max-warnings make it so.",
        ),
        done_when="The build prints no warning, or is told to let warnings pass, and ends well.",
        confidence="certain",
        example=failed(
            "build", "Treating warnings as errors because process.env.CI = true.\nFailed to compile."
        ),
        near_miss=failed(
            "build", "Compiled with warnings.\nsrc/a.ts(1,1): error TS2304: Cannot find name 'x'."
        ),
    ),
    Rule(
        "import_not_resolved",
        line(
            BUILDS,
            r"(?:Module not found: )(?:Error: )?(?:Can't resolve|Package path)",
            r"Module not found: (?:Error: )?\[?(?:Can|Error)",
            PLACE + r"\s{0,4}(?:Module not found|Failed to resolve import|Could not resolve)",
            r"(?:\[vite\]: |\[!\] (?:\(\S{1,80}\) )?)?(?:RollupError: |Error: "
            r"|\[vite\]: )?(?:\[vite\]: )?(?:Rollup failed to "
            r"resolve import|Could not resolve ['\"].{1,200}['\"]? from|Could not resolve entry module)",
            r"\[vite(?::[\w-]{1,40})?\] .{0,300}?(?:Failed to resolve|Rollup failed to resolve)",
            r"(?:✘|X|x) \[ERROR\] Could not resolve ",
            r"(?:🚨|@parcel/core:) .{0,60}(?:Failed to resolve|Cannot find)",
            PLACE + r": (?:error TS2307: |fatal error: .{1,200}: No such file)",
            PLACE + r" - error TS2307: ",
            PLACE + r": (?:no required module provides package|package .{1,200} is not in (?:std|GOROOT)|"
            r"cannot find package|use of internal package)",
            r"no required module provides package ",
            r"error\[E04(?:32|33|63)\]",
            PLACE + r"?: error: package .{1,200} does not exist",
            r"\[ERROR\] \S{1,300}:\[\d{1,6},\d{1,5}\] package .{1,200} does not exist",
            r"(?:> )?Can't resolve '.{1,200}' in '",
            r"SassError: Can't find stylesheet|Error: Can't find stylesheet to import",
            PLACE + r": (?:error CS0246|error: unresolved reference)",
            following=2,
        ),
        "The source imports a file or package that is not there under that name.",
        ("git ls-files | grep -i NAME",),
        home="build",
        check=(
            "The letters' case: a machine that takes A for a hides what fails here.",
            "Whether the file was committed, and is not left out by an ignore file.",
            (
                "Whether the package is declared as a dependency, and not only there by chance "
                "on another machine;"
                " and whether the build installs development dependencies if it needs them."
            ),
        ),
        done_when=BUILT,
        confidence="certain",
        example=failed("build", "Module not found: Error: Can't resolve './Cart' in '/app/src'"),
        near_miss=failed("build", "src/order.ts(2,30): error TS2322: Type 'string' is not assignable to x"),
    ),
    Rule(
        "types_do_not_fit",
        line(
            BUILDS,
            PLACE + r"(?: -|:) (?:\x1b\[\d{1,3}m)?error TS\d{4,5}: ",
            r"error TS\d{4,5}: ",
            r"(?:\./|src/)\S{1,200}:\d{1,7}(?::\d{1,5})?$",
            r"Type error: ",
            r"[^\s:][^:]{0,200}\.pyi?:\d{1,7}(?::\d{1,5})?: error: .{0,400}",
            r"Found \d{1,6} errors? in \d{1,6} files? \(",
            r"\s{0,8}/?\S{1,300}\.pyi?:\d{1,7}:\d{1,5} - error: ",
            r"Error: \S{1,300}\.(?:vue|svelte|tsx?):\d",
            unless=lambda case, place: _is_only_a_place(case.lines, place),
            following=1,
        ),
        "The type checker refused the source.",
        (LOGS,),
        home="build",
        check=(
            "The first error, at the file and line that it names: those below often follow from it.",
            "Whether a dependency brought other types than before.",
        ),
        done_when="The type checker ends without an error, here as on the machine where it was written.",
        confidence="certain",
        example=failed(
            "build", "src/order.ts(2,30): error TS2322: Type 'string' is not assignable to type 'x'."
        ),
        near_miss=failed("build", "main.c:3:5: error: expected ';' before 'return'"),
    ),
    Rule(
        "linter_refused",
        line(
            BUILDS,
            r".{0,4}[✖✗\u00d7] \d{1,6} problems? \([1-9]",
            r"Found [1-9]\d{0,5} errors?\.$",  # ruff
            r"would reformat \S|\d{1,6} files? would be reformatted",
            r"\[warn\] Code style issues (?:found|were found)",
            r"\d{1,6} files? inspected, [1-9]\d{0,5} offenses? detected",
            r"error: (?:could not compile .{0,100})?.{0,60}clippy::",
            r"golangci-lint: |level=error msg=\"\[linters",
            r"Error: The following files are not formatted|Diff in \S{1,200} (?:at line|:)\d",
            r".{0,60}Checkstyle violations|.{0,60}You have \d{1,6} (?:Checkstyle|PMD) violation",
            r"\S{1,200}:\d{1,6}:\d{1,5}: [EFWC]\d{3} ",  # flake8
        ),
        "A linter or formatter found fault with the source.",
        (LOGS,),
        home="build",
        check=(
            "The lines above: file, line and rule; most tools can mend much of it by themselves (--fix).",
        ),
        done_when="The same command ends well on the machine where it is written, with the same version.",
        confidence="certain",
        example=failed(
            "build", "/app/src/a.js\n  3:7  error  'x' is never used\n✖ 1 problem (1 error, 0 warnings)"
        ),
        near_miss=failed("build", "✖ 3 problems (0 errors, 3 warnings)\nmake: *** [all] Error 2"),
    ),
    Rule(
        "compiler_refused",
        line(
            BUILDS,
            PLACE + r": (?:fatal )?error\b",
            PLACE + r": (?:undefined: |syntax error|cannot use |.{1,120} (?:redeclared"
            r"|declared and not used|"
            r"imported and not used)|missing return|not enough arguments|too many arguments"
            r"|assignment mismatch|"
            r"invalid operation|.{1,80} undefined \(|unknown field|expected )",
            r"[^\s:][^:]{0,200}\.(?:java|kt|kts|groovy|scala|hs|cs|swift|dart|vala|nim"
            r"|zig):\d{1,7}:(?:\d{1,5}:)? "
            r"(?:error|Error|e): ?",
            r"error(?:\[E\d{4}\])?: (?!.{0,60}(?:failed to|script|external command|could not find"
            r"|GET|no matching|the lock|"
            r"package `|linker|subprocess|metadata|command|Unable|The (?:lockfile|lock|requested|Python)|"
            r"Microsoft|No solution|TOML))(?=.{1,400})[^\n]{0,400}$",
            r"e: (?:file://)?/?\S{1,300}:\d{1,6}:\d{1,5} ",  # Kotlin
            r"\[error\] \S{1,300}:\d{1,6}:\d{1,5}: ",  # Scala
            r"\[ERROR\] COMPILATION ERROR",
            r"\[ERROR\] \S{1,300}:\[\d{1,6},\d{1,5}\] ",
            r"== Compilation error in file ",
            r"\*\* \((?:CompileError|SyntaxError|TokenMissingError)\) ",
            r".{0,300}: error (?:CS|FS|VB|BC)\d{4}: ",
            (
                r"(?:/\S{0,100}/)?ld(?:\.\w{1,8})?: .{0,300}undefined (?:reference|symbol)"
                r"|.{0,200}: undefined reference to `"
            ),
            TREE + r"Compilation failed; see the compiler ",
            following=1,
            unless=lambda case, place: not _is_compilers(case.lines, place),
        ),
        "The compiler refused the source.",
        (LOGS,),
        home="build",
        check=(
            "The first error, at the file and line that it names: those below often follow from it.",
            "Whether it compiles with the compiler's version that is used here.",
        ),
        done_when="The compiler ends without an error.",
        confidence="certain",
        example=failed("build", "main.c:3:5: error: expected ';' before 'return'"),
        near_miss=failed("build", "error: no matching package named `lefft` found"),
    ),
    Rule(
        "bundler_failed",
        line(
            BUILDS,
            r"(?:ERROR in |error during build:|Failed to compile\.|> Build failed because of webpack errors)",
            r"(?:\[!\] |✘ \[ERROR\] |X \[ERROR\] |\[vite\S{0,40}\] |🚨 Build failed)",
            r"(?:Error: )?Transform failed with \d|Build failed with \d{1,4} errors?",
            r"webpack \d\S{0,20} compiled with \d{1,5} errors?",
            r"\[(?:vite|rollup|postcss|sass|esbuild|plugin)[:\w-]{0,60}\] ",
            r"Error occurred prerendering page |Error: Export encountered errors on following paths",
            (
                r"\s{0,4}(?:SassError|CssSyntaxError|UnhandledSchemeError|ModuleBuildError"
                r"|ModuleParseError|PostCSS\S{0,40}): "
            ),
            r"(?:\[ERROR\]|Error:) .{0,80}NG\d{3,5}: |Error: Errors? in bundle|\[commonjs--resolver\]",
            r"(?:\s{0,4})?An unhandled exception occurred: ",
            following=3,
        ),
        "The bundler could not make the site or program of its source.",
        (LOGS,),
        home="build",
        check=(
            "The first error below its name: file and line stand with it.",
            (
                "For a page that fails while it is made in advance: what it fetches "
                "at that time, and whether that is"
                " there in a build."
            ),
        ),
        done_when=BUILT,
        example=failed("build", "error during build:\nRollupError: Unexpected token (3:7)"),
        near_miss=failed("build", "Module not found: Error: Can't resolve './Cart' in '/app/src'"),
    ),
)


def _is_only_a_place(lines: tuple[str, ...], place: int) -> bool:
    """Tell a line that is nothing but file:line from one above `Type error:`, as Next.js prints them."""
    text = lines[place]
    if not text.startswith(("./", "src/")) or " " in text:
        return False
    return not any(each.startswith("Type error: ") for each in lines[place + 1 : place + 2])


def _is_compilers(lines: tuple[str, ...], place: int) -> bool:
    """Tell Rust's bare `error: ...` by the arrow to its place; other compilers name the place themselves."""
    if not lines[place].startswith("error: "):
        return True
    return any(each.lstrip().startswith("--> ") for each in lines[place + 1 : place + 3])
