"""Right definitions, made at random from the language's grammar, as values that YAML can hold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

import yaml
from hypothesis import strategies as st

Tree = dict[str, Any]
T = TypeVar("T")

LETTERS = "abcxyz019"
BARE = 'a "x" 部署 true 5 1.10 ~ null on 0010 = * &a % @ \\ $HOME $$'
WORDS = [
    *BARE.split(),
    "b c",
    "it's",
    "é ü",
    "x: y",
    "# no",
    "- z",
    "{a}",
    "a\u2028b",
    "tail ",
    " head",
    "{{ x }}",
]
HERE = ["${{ trigger.sha }}", "<${{ trigger.revision }}>", '${{ secret("TOKEN") }}', "${{ pipeline.slug }}",
        "$${{ not }}", "${{ upper('a') }}"]  # fmt: skip
OF_STAGE = [*HERE, "${{ stage.name }}", '${{ default(vars.nothing, "x") }}', '${{ stage_secret("DB") }}']
MODES = ["ALWAYS", "NEVER", "DESTRUCTIVE_CHANGES_ONLY"]


@dataclass(frozen=True, slots=True)
class Grammar:
    """One file's worth of choices."""

    random: Random

    def one(self, options: Sequence[T]) -> T:
        return options[self.random.randrange(len(options))]

    def some(self, make: Callable[[], T], least: int = 0, most: int = 3) -> list[T]:
        return [make() for _ in range(self.random.randint(least, most))]

    def perhaps(self, **optional: Callable[[], Any]) -> Tree:
        """Return some of the keys."""
        return {key: make() for key, make in optional.items() if self.random.random() < 0.4}

    def word(self) -> str:
        return self.one(WORDS)

    def slug(self) -> str:
        return "".join(self.some(lambda: self.one(LETTERS), 1, 5))

    def slugs(self, most: int) -> list[str]:
        return list(dict.fromkeys(self.some(self.slug, 1, most)))

    def path(self) -> str:
        return "/" + "/".join(self.some(self.slug))

    def minutes(self) -> float:
        return self.one([1, 5, 0.5, 1440, 2.25])

    def value(self, depth: int = 0) -> Any:
        if depth < 2 and self.random.random() < 0.3:
            return self.some(lambda: self.value(depth + 1))
        if depth < 2 and self.random.random() < 0.3:
            return {self.word(): self.value(depth + 1) for _ in range(2)}
        return self.one([None, True, False, 0, -7, 10**12, 2.5, 1e-7, self.word()])

    def env(self, expressions: Sequence[str]) -> Tree:
        def value() -> Any:
            return self.one([self.word(), 5, 1.5, True, self.one(expressions)])

        return {f"{self.one('ABC')}{self.slug().upper()}": value() for _ in range(self.random.randrange(3))}

    def text(self) -> Any:
        return self.one([self.word(), 5, True])

    def window(self) -> Tree:
        hours = {
            "days": self.one(["mon", "mon-fri", "fri-mon", ["sat", "sun"]]),
            "from": self.one(["00:00", "09:30"]),
            "to": self.one(["08:00", "17:00", "24:00"]),
        }
        rest = {"from": "2026-12-20", "to": self.one(["2027-01-04", "2027-01-04 08:00"]), "reason": "rest"}
        return {
            "zone": self.one(["UTC", "Europe/Berlin"]),
            "hours": [hours],
            **self.perhaps(holidays=lambda: ["12-24", "2026-12-25"], freezes=lambda: [rest]),
        }

    def criteria(self) -> Tree:
        def path() -> Tree:
            return {
                "path": self.path(),
                **self.perhaps(status=lambda: self.one([200, 404]), contains=self.word),
            }

        return self.perhaps(
            successes=lambda: self.one([1, 100]),
            interval_seconds=lambda: self.one([0.05, 1, 60.0]),
            deadline_seconds=lambda: self.one([1, 3600]),
            paths=lambda: self.some(path, 1, 2),
        )

    def artifact(self) -> Tree:
        """Return one artifact, of any type."""
        per_stage = self.one([True, False])
        env = OF_STAGE if per_stage else HERE
        type_ = self.one(["BUNDLE:BUILD", "DEVRAMPS:DOCKER:BUILD", "DOCKER:IMPORT", "DEVRAMPS:BUNDLE:IMPORT"])
        params: Tree = {
            "BUNDLE:BUILD": {"file_path": self.path(), **self.perhaps(build_commands=self.script)},
            "DEVRAMPS:DOCKER:BUILD": {
                "dockerfile": self.path(),
                **self.perhaps(env=lambda: self.env(env), args=lambda: ["A=b"], build_root=self.path),
            },
            "DOCKER:IMPORT": {"source_image_url": "registry.example/a:1"},
            "DEVRAMPS:BUNDLE:IMPORT": {"source_s3_url": "s3://abc/d.zip", "source_account": "0" * 12},
        }[type_]
        envs = {"envs": self.env(env)} if type_ == "BUNDLE:BUILD" else {}
        return {
            "type": type_,
            "params": params,
            **envs,
            **({"per_stage": True} if per_stage else {}),
            **self.perhaps(
                host_size=lambda: self.one(["small", "medium", "large"]),
                architecture=lambda: self.one(["linux/amd64", "linux/arm64"]),
                dependencies=lambda: self.some(lambda: self.one(["node.22", "go"])),
                timeout_minutes=self.minutes,
                rebuild_when_changed=lambda: self.some(self.path, 1, 3),
            ),
        }

    def script(self) -> Any:
        return self.one(["make", ["make", 5, True, 1.5], "two\nlines\n", ["make ${{ trigger.sha }}"]])

    def params(self, type_: str, bundles: Sequence[str]) -> Tree:
        """Return what a step of a type is given."""
        match type_:
            case "SCRIPT:EXECUTE":
                return {"commands": self.script(), **self.perhaps(env=lambda: self.env(OF_STAGE))}
            case "DEVRAMPS:APPROVAL:BAKE":
                return {"duration_minutes": 5}
            case "APPROVAL:TEST":
                return {"testCommand": "make", "environmentVariables": self.env(OF_STAGE)}
            case "TERRAFORM:SYNTHESIZE":
                return {"source": self.path(), "variables": {"a": self.value(), **self.env(OF_STAGE)}}
            case "LOCAL:SERVICE:DEPLOY":
                command = self.one(["run --stage '${{ stage.name }}'", ["run", 5, "${{ stage.name }}"]])
                own = self.perhaps(
                    verify=self.criteria, env=lambda: self.env(OF_STAGE), grace_seconds=lambda: 2.5
                )
                return {"artifact": self.one(bundles), "command": command, **own}
        return {self.word(): self.value(), "b": self.one(OF_STAGE)}

    def step(self, name: str, others: Sequence[str], bundles: Sequence[str]) -> Tree:
        """Return one step; it may go after the others."""
        types = ["SCRIPT:EXECUTE", "DEVRAMPS:APPROVAL:BAKE", "APPROVAL:TEST", "CUSTOM:any-thing",
                 "TERRAFORM:SYNTHESIZE", *(["LOCAL:SERVICE:DEPLOY"] if bundles else [])]  # fmt: skip
        type_ = self.one(types)
        custom = {"host_size": "large"} if type_.startswith("CUSTOM") else {}
        return {
            "name": name,
            "type": type_,
            "params": self.params(type_, bundles),
            **custom,
            **self.perhaps(
                attempts=lambda: self.one([1, 3, {"max": 2}, {"max": 2, "backoff_seconds": 0.5}]),
                timeout_minutes=self.minutes,
                repeatable=lambda: self.one([True, False]),
                on_sibling_failure=lambda: self.one(["cancel", "finish"]),
                on_rollback=lambda: self.one(["run", "skip"]),
            ),
            **({"goes_after": self.some(lambda: self.one(others))} if others else {"goes_after": []}),
        }

    def steps(self, bundles: Sequence[str]) -> list[Tree]:
        """Return steps in list order, or in any order where each says what it goes after."""
        names = self.slugs(5)
        found = [self.step(name, names[:number], bundles) for number, name in enumerate(names)]
        if self.one([True, False]):
            self.random.shuffle(found)
            return found
        return [{key: value for key, value in step.items() if key != "goes_after"} for step in found]

    def stage(self, name: str, steps: Sequence[str], windows: Sequence[str]) -> Tree:
        """Return one stage of this machine."""
        presets = ["NONE", "PACIFIC_WORKING_HOURS", "PACIFIC_WORKING_HOURS_REDUCED", *windows, self.window()]
        return {
            "name": name,
            **self.perhaps(
                vars=lambda: {self.word(): self.value() for _ in range(3)},
                skip=lambda: self.some(lambda: self.one(steps)),
                timeout_minutes=self.minutes,
                verify=self.criteria,
                deployment_time_window=lambda: self.one(presets),
            ),
        }

    def definition(self) -> Tree:
        """Return a whole file."""
        built = {name: self.artifact() for name in self.slugs(3)} if self.one([True, False]) else {}
        steps = self.steps([name for name, each in built.items() if "BUNDLE" in each["type"]])
        names = [step["name"] for step in steps]
        windows = {name: self.window() for name in self.one([[], ["office"], ["nights", "Days_2"]])}
        slack = {"channel": "#deploys", "events": ["stage_failed", "approval_required"]}
        tracks = ["main", ["main", "release/*"], {"tags": ["v*"], "paths": ["/app"]}]
        defaults = self.perhaps(
            verify=self.criteria, timeout_minutes=self.minutes, vars=lambda: {"z": self.value()}
        )
        head = self.perhaps(
            name=lambda: "The shop",
            tracks=lambda: self.one(tracks),
            timeout_minutes=self.minutes,
            pipeline_updates_require_approval=lambda: self.one(MODES),
            notifications=lambda: {"slack": slack},
            stage_defaults=lambda: defaults,
        )
        stages = [self.stage(name, names, list(windows)) for name in self.slugs(3)]
        body = {**head, "windows": windows, "artifacts": built, "stages": stages, "steps": steps}
        return {"version": "1", "pipeline": body}


def definitions() -> st.SearchStrategy[Tree]:
    """Return definitions that are right."""
    return st.integers(0, 2**32).map(lambda seed: Grammar(Random(seed)).definition())


def text(definition: Tree) -> str:
    """Return a definition as a file."""
    return yaml.safe_dump(definition, sort_keys=False, allow_unicode=True, width=100)
