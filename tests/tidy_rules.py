"""What linters cannot say about this repository: one function a rule, each yielding its offences.

`test_tidy.py` holds the repository, and samples of what is refused, against them. A rule about code
reads the syntax tree, so that strings and comments do not count.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase as fnmatch
from functools import cached_property
from pathlib import PurePosixPath

FUNCTION_LINES_MAX = 50  # without the docstring
MODULE_LINES_MAX = 400
PARAMETERS_MAX = 6
NESTING_MAX = 4

FORBIDDEN_MODULES = frozenset({"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"})
FORBIDDEN_CLASSES = re.compile(r"^(Abstract|Base[A-Z])|(Manager|Helper|Processor|Engine|Impl)$")

# What would tie a run to one machine and one moment, and the only places that may touch it: without
# these seams nothing could be simulated.
REAL_PROCESSES = ("shared/file_lock.py", "shared/git", "shared/process/", "services/*/adapters/")
OUTSIDE = (
    "deploy/demo/",
    "deploy/kafka/",
    "tests/",
    "benchmarks/",
)  # they drive a real Windlass from outside
SEAMS: dict[frozenset[str], tuple[str, ...]] = {
    frozenset({
        "asyncio.sleep", "datetime.date.today", "datetime.datetime.now", "datetime.datetime.today",
        "datetime.datetime.utcnow", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
        "time.sleep", "time.time", "time.time_ns",
    }): ("shared/clock.py", *REAL_PROCESSES, *OUTSIDE),
    frozenset({"os.urandom", "random", "secrets", "uuid.uuid1", "uuid.uuid4"}): (
        "shared/access.py", "shared/residence.py", "services/*/app.py", "services/*/api.py",
        "services/*/http.py", "services/*/routes.py", "services/*/routes/", "services/*/adapters/", *OUTSIDE,
    ),
    frozenset({
        "asyncio.to_thread", "concurrent.futures", "multiprocessing", "threading.Thread",
        "threading.Timer",
    }): ("shared/artifacts/", *REAL_PROCESSES, *OUTSIDE),
    frozenset({"os.environ", "os.environb", "os.getenv"}): (
        "*/settings.py", "shared/process/processes.py", *OUTSIDE,  # the latter: what the interpreter needs
    ),
}  # fmt: skip
SHELLS = frozenset({"asyncio.create_subprocess_shell", "os.popen", "os.system", "subprocess.getoutput"})
SLEEPS = frozenset({"asyncio.sleep", "time.sleep"})
SLEEPING_TESTS_IN = (
    "tests/integration/",
    "tests/e2e/",
    "tests/contract/",
    "tests/distributed/",
    "tests/server_process.py",
    "tests/servers/",
)

# The outermost loops and the program's entry: where an unforeseen error is turned into an answer.
OUTERMOST = ("shared/delivery.py", "shared/bus/", "shared/work/", "services/cli/app.py",
             "services/embedded/app.py", "services/ingest/accept_queue.py",
             "services/status/handlers.py", *OUTSIDE)  # fmt: skip

# What may await in a service: modules by their role, and these, which carry out decisions or wait for
# the outside. The rest of a service's folder is core.
SHELL_ROLES = frozenset(
    {"__init__", "api", "app", "handlers", "http", "routes", "settings", "store", "tables", "worker"}
)
SHELL_MODULES = (
    "services/*/*_moves.py", "services/*/*_worker.py", "services/deployer/looking_after.py",
    "services/deployer/asked_run.py", "services/deployer/attempts.py", "services/deployer/step_orders.py",
    "services/ingest/accept_queue.py", "services/ingest/body.py",
)  # fmt: skip
SHELL_SERVICES = frozenset({"cli", "distributed", "embedded"})  # they decide nothing

# Core whose subject is what follows from the states of many things at once.
STATES_READ_IN = ("services/deployer/rollback.py", "services/deployer/run_course.py", "tests/")

SKIPS = frozenset({
    "pytest.skip", "pytest.importorskip", "pytest.xfail", "pytest.mark.skip", "pytest.mark.skipif",
    "pytest.mark.xfail", "unittest.skip",
})  # fmt: skip
SUBSCRIBING = frozenset({"KafkaBroker", "KafkaRouter", "KafkaRoute", "subscriber"})
WORDS_MIN = 3  # a test's name says what holds, not only what it is about

MACHINE_PATH = re.compile(r"(?<![A-Za-z0-9_.-])/(?:work|farm)/")
REGISTRY_HOST = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs|crates\.io/api|proxy\.golang|repo1\.maven"
    r"|maven\.apache\.org/maven2|deb\.debian",
    re.IGNORECASE,
)
UNNUMBERED_TODO = re.compile(r"# ?(?:TODO|FIXME|XXX|HACK)\b(?!\s?\(?#\d)")


@dataclass(frozen=True)
class Module:
    """One Python file."""

    path: str  # from the repository's root, with slashes
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, self.path)

    @cached_property
    def names(self) -> dict[str, str]:
        """What each imported name stands for: `now` -> `datetime.datetime.now`."""
        found = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    found[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        return found

    def lies_in(self, places: tuple[str, ...]) -> bool:
        """Tell whether the path begins with one of `places`, in which `*` is anything."""
        return any(fnmatch(self.path, f"{place}*") for place in places)

    def dotted(self, node: ast.AST) -> str:
        """Return the full name that an expression refers to, or the empty string."""
        match node:
            case ast.Name(name):
                return self.names.get(name, "")
            case ast.Attribute(value, attribute):
                owner = self.dotted(value)
                return f"{owner}.{attribute}" if owner else ""
        return ""

    def at(self, node: ast.AST, message: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {message}"


Rule = Callable[[Module], Iterator[str]]


def _functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first, *rest = function.body
    documented = ast.get_docstring(function, clean=False) is not None
    start = (rest[0] if rest else first).lineno if documented else first.lineno
    return (function.end_lineno or start) - start + 1


def _depth(body: list[ast.stmt]) -> int:
    return max((_depth_of(statement) for statement in body), default=0)


def _depth_of(statement: ast.stmt) -> int:
    match statement:
        case ast.If(body=body, orelse=[ast.If() as other]):  # elif is no deeper
            return max(1 + _depth(body), _depth_of(other))
        case ast.If() | ast.For() | ast.AsyncFor() | ast.While() | ast.With() | ast.AsyncWith():
            return 1 + _depth([*statement.body, *getattr(statement, "orelse", [])])
        case ast.Try(body, handlers, orelse, final):
            caught = [inner for handler in handlers for inner in handler.body]
            return 1 + _depth([*body, *caught, *orelse, *final])
        case ast.Match(cases=cases):
            return 1 + _depth([inner for case in cases for inner in case.body])
    return 0


def sizes(module: Module) -> Iterator[str]:
    """Refuse long modules and functions, many parameters, deep nesting."""
    if (lines := len(module.source.splitlines())) > MODULE_LINES_MAX:
        yield module.at(module.tree, f"{lines} lines, {MODULE_LINES_MAX} at most")
    if module.lies_in(("deploy/migrations/versions/",)):  # a migration is a list, read once
        return
    for function in _functions(module):
        named = function.args
        parameters = [*named.posonlyargs, *named.args, *named.kwonlyargs]
        own = [p for p in parameters if p.arg not in {"self", "cls"}]
        if (lines := _lines(function)) > FUNCTION_LINES_MAX:
            yield module.at(function, f"{function.name} has {lines} lines")
        if len(own) > PARAMETERS_MAX:
            yield module.at(function, f"{function.name} has {len(own)} parameters")
        if (depth := _depth(function.body)) > NESTING_MAX:
            yield module.at(function, f"{function.name} nests {depth} deep")


def names(module: Module) -> Iterator[str]:
    """Refuse names that say a role and let anything in."""
    path = PurePosixPath(module.path)
    for part in {path.stem, *path.parts[:-1]} & FORBIDDEN_MODULES:
        yield module.at(module.tree, f"nothing is called {part}: name the subject")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and FORBIDDEN_CLASSES.search(node.name):
            yield module.at(node, f"class {node.name}: name what it is")


def _mentions(module: Module, wanted: frozenset[str]) -> Iterator[tuple[ast.expr, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = module.dotted(node)
            if name in wanted or name.rpartition(".")[0] in wanted:
                yield node, name


def _calls(module: Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))


def _lets_others_run(call: ast.Call) -> bool:
    """Tell `sleep(0)`, which waits for nothing."""
    return [ast.unparse(argument) for argument in call.args] == ["0"]


def seams(module: Module) -> Iterator[str]:
    """Refuse clocks, chance, threads and the environment outside their places."""
    harmless = {id(call.func) for call in _calls(module) if _lets_others_run(call)}
    for wanted, places in SEAMS.items():
        if module.lies_in(places):
            continue
        for node, name in _mentions(module, wanted):
            if id(node) not in harmless:
                yield module.at(node, f"{name} stands outside its seam")


def sleeping_tests(module: Module) -> Iterator[str]:
    """Refuse a test that waits for time where no real process is waited for."""
    if not module.lies_in(("tests/",)) or module.lies_in(SLEEPING_TESTS_IN):
        return
    for call in _calls(module):
        if module.dotted(call.func) in SLEEPS and not _lets_others_run(call):
            yield module.at(call, "advance a clock or await an event")


def shells(module: Module) -> Iterator[str]:
    """Refuse whatever hands a string to a shell."""
    for node, name in _mentions(module, SHELLS):
        yield module.at(node, f"{name}: use an argument array")
    for call in _calls(module):
        for keyword in call.keywords:
            if keyword.arg == "shell" and ast.unparse(keyword.value) != "False":
                yield module.at(call, "shell=True: use an argument array")


def _is_state(node: ast.expr) -> bool:
    match node:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name == "state" or name.endswith("_state")
    return False


def _asks_a_state(comparison: ast.Compare) -> bool:
    """Tell all but a question about a set of states, about none, and a column's compare-and-set."""
    sides = (comparison.left, *comparison.comparators)
    words = [ast.unparse(side) for side in sides]
    harmless = isinstance(comparison.ops[0], ast.In | ast.NotIn) or "None" in words
    return any(map(_is_state, sides)) and not harmless and not any(".c." in word for word in words)


def states(module: Module) -> Iterator[str]:
    """Refuse a decision on a single state anywhere but beside its table; name a set of states there."""
    if module.lies_in(STATES_READ_IN) or "TRANSITIONS" in _assigned(module):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Match) and _is_state(node.subject):
            yield module.at(node, "a state is matched outside its table")
        if isinstance(node, ast.Compare) and _asks_a_state(node):
            yield module.at(node, "a state is compared outside its table")


def _assigned(module: Module) -> set[str]:
    return {ast.unparse(target) for node in module.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])}  # fmt: skip


def broad_excepts(module: Module) -> Iterator[str]:
    """Refuse to catch everything outside the outermost loops, unless it is raised again."""
    if module.lies_in(OUTERMOST):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and ast.unparse(node.body[-1]) != "raise":
            caught = ast.unparse(node.type) if node.type else "everything"
            if re.search(r"\b(Base)?Exception\b|^everything$", caught):
                yield module.at(node, f"catches {caught}")


def core(module: Module) -> Iterator[str]:
    """Refuse a coroutine in a service's core, but for a seam's Protocol: decisions are plain functions."""
    path = PurePosixPath(module.path)
    if len(path.parts) != 3 or path.parts[0] != "services":
        return
    if path.parts[1] in SHELL_SERVICES or path.stem in SHELL_ROLES or module.lies_in(SHELL_MODULES):
        return
    protocols = [node for node in module.tree.body if isinstance(node, ast.ClassDef)
                 if "Protocol" in map(ast.unparse, node.bases)]  # fmt: skip
    promised = {id(verb) for protocol in protocols for verb in protocol.body}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef) and id(node) not in promised:
            yield module.at(
                node, "core never waits: move this to the shell, or list the module in SHELL_MODULES"
            )


def docstrings(module: Module) -> Iterator[str]:
    """Refuse a module that does not say what lives in it."""
    if not module.lies_in(("tests/",)) and not ast.get_docstring(module.tree):
        yield module.at(module.tree, "no docstring")


def service_packages(module: Module) -> Iterator[str]:
    """Refuse a service whose package says more, or less, than what it hears, says and owns."""
    path = PurePosixPath(module.path)
    if not re.fullmatch(r"services/[^/]+/__init__\.py", module.path):
        return
    if len(module.tree.body) != 1 or not (text := ast.get_docstring(module.tree)):
        yield module.at(module.tree, "a service's __init__ holds its docstring and nothing else")
    elif path.parts[1] not in SHELL_SERVICES:
        for word in ("hears", "says", "owns"):
            if word not in text.lower():
                yield module.at(module.tree, f"does not tell what the service {word}")


def skips(module: Module) -> Iterator[str]:
    """Refuse a test that may be left out."""
    for node, name in _mentions(module, SKIPS):
        yield module.at(node, f"{name}: a test runs or is removed")


def acknowledgements(module: Module) -> Iterator[str]:
    """Refuse a subscriber, or a broker, that leaves to its library when a message is acknowledged."""
    for call in _calls(module):
        name = module.dotted(call.func) or ast.unparse(call.func)
        if name.rpartition(".")[2] in SUBSCRIBING:
            stated = [ast.unparse(each.value) for each in call.keywords if each.arg == "ack_policy"]
            if not stated or not stated[0].startswith("AckPolicy."):
                yield module.at(call, "state its ack_policy: the default acknowledges what is not done")


def sentences(module: Module) -> Iterator[str]:
    """Refuse a test whose name is a topic."""
    if module.lies_in(("tests/",)):
        for function in _functions(module):
            words = function.name.removeprefix("test_").split("_")
            if function.name.startswith("test_") and len(words) < WORDS_MIN:
                yield module.at(function, f"{function.name}: say what holds, in a sentence")


RULES: tuple[Rule, ...] = (
    sizes, names, seams, sleeping_tests, shells, states, broad_excepts, core, docstrings,
    service_packages, skips, acknowledgements, sentences,
)  # fmt: skip


def text_offences(path: str, text: str) -> Iterator[str]:
    """Refuse, in any file, places of one machine, hosts of registries, and chores without an issue."""
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            yield f"{path}:{number}: a path of one machine"
        if REGISTRY_HOST.search(line):
            yield f"{path}:{number}: a package registry's host"
        if UNNUMBERED_TODO.search(line):
            yield f"{path}:{number}: a chore names its issue, as #12"
