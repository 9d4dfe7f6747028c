"""Reading one entry of `stages`, with what `stage_defaults` and `windows` say of it."""

import re
from dataclasses import dataclass

from shared.language.aws_region import REGIONS
from shared.language.criteria import check_criteria
from shared.language.definition import StageDefinition
from shared.language.expression import has_expression
from shared.language.manifest import ManifestPart, Stage, StageDefaults
from shared.language.manifest.window import PRESETS, WindowManifest, name_mistake, resolve
from shared.language.node import Mapping, Node, Scalar, scalars
from shared.language.problem import WHOLE_FILE, Place, did_you_mean, quoted
from shared.language.reading import Reader, plain
from shared.language.reference import References
from shared.language.step_reading import place_of
from shared.plan import Target
from shared.window import Window

STAGE_SECONDS = 3600.0  # for a whole run, unless the stage or the defaults say otherwise
WINDOWS_MAX = 50
ALARM = re.compile(r"[A-Za-z0-9._:/-]+")  # as it is told over HTTP

_WINDOW = "deployment_time_window"
_STAND_INS = {"name": "stage", "account_id": "000000000000", "region": "us-east-1"}


@dataclass(frozen=True, slots=True)
class StageReader:
    """Reads stages, given what is the same for all of them."""

    reader: Reader
    steps: References
    windows: dict[str, WindowManifest]
    window_names: frozenset[str]  # those that could not be read included
    defaults: StageDefaults
    defaults_node: Mapping | None

    def read(self, node: Mapping) -> StageDefinition | None:
        """Return a stage; None if nothing can be made of it."""
        written = node.get("name")
        title = f"stage {quoted(written.text)}" if isinstance(written, Scalar) else "a stage"
        part = self.reader.part(node, Stage, title, _STAND_INS)
        if part is None:
            return None
        check_vars(node.get("vars"), self.reader)
        target: Target = part.target or ("aws" if self._is_in_aws(node) else "local")
        self._check_target(part, target, node, title)
        if isinstance(verify := node.get("verify"), Mapping):
            check_criteria({"verify": plain(verify)}, node, title, self.reader.problems)
        check_alarm(part.auto_rollback_alarm_name, node, self.reader)
        window, window_place = self._window(part, node)
        return StageDefinition(
            name=part.name,
            place=place_of(node, "name"),
            part=part,
            target=target,
            target_is_known=part.target is not None or self.reader.is_missing(node, "target", Stage),
            vars={**self.defaults.vars, **part.vars},
            vars_are_known=self._has_vars(node, Stage) and self._has_vars(self.defaults_node, StageDefaults),
            skip=self._skipped(node),
            window=window,
            window_place=window_place,
            verify=part.verify or self.defaults.verify,
            timeout_seconds=_seconds(part, self.defaults),
            params={},
        )

    def _skipped(self, node: Mapping) -> frozenset[str]:
        """Return the steps that are left out, misspelt ones too: else each would be judged in vain."""
        problems = self.reader.problems
        found: set[str | None] = set()
        for name in self.reader.names(node, "skip"):
            step = self.steps.find(name.text, name.place, problems)
            found.add(step if step or problems.is_full else self.steps.meant(name.text))
        return frozenset(step for step in found if step)

    def _has_vars(self, node: Mapping | None, model: type[ManifestPart]) -> bool:
        """Tell whether the values are those that are written, or rightly none."""
        if node is None or isinstance(node.get("vars"), Mapping):
            return True
        return self.reader.is_missing(node, "vars", model)

    def _is_in_aws(self, node: Mapping) -> bool:
        return self.reader.dialect == "devramps" or not self.reader.is_missing(node, "account_id", Stage)

    def _check_target(self, part: Stage, target: Target, node: Mapping, title: str) -> None:
        check_region(part.region, node, self.reader)
        if target != "aws":
            return
        for key in ("account_id", "region"):
            if self.reader.is_missing(node, key, Stage):
                message = f"{key} is missing in {title}, which deploys to AWS"
                self.reader.problems.add(place_of(node, "name"), message, rule="missing-key")

    def judge_default(self) -> None:
        """Report a window that is the default and is none, though every stage may have one of its own."""
        self._window(Stage(name="default"), Mapping((), WHOLE_FILE))

    def _window(self, part: Stage, node: Mapping) -> tuple[Window | None, Place]:
        """Return when runs may begin; None: always."""
        setting, around = part.deployment_time_window, node
        if setting is None and self.defaults_node is not None:
            setting, around = self.defaults.deployment_time_window, self.defaults_node
        place = place_of(around, _WINDOW)
        if setting is None:
            return None, place
        if isinstance(setting, WindowManifest):
            if self.reader.dialect == "devramps":
                message = "a window of one's own is Windlass's, and not for a DevRamps file"
                self.reader.problems.add(place, message, did_you_mean("", list(PRESETS)), "wrong-value")
            return resolve(part.name, setting), place
        if setting in PRESETS:
            return PRESETS[setting], place
        if setting in self.windows:
            return resolve(setting, self.windows[setting]), place
        if setting in self.window_names:  # what is wrong with it was said
            return None, place
        message = f"there is no window {quoted(setting)}"
        self.reader.problems.add_unknown(place, message, setting, [*self.windows, *PRESETS])
        return None, place


def read_windows(node: Mapping | None, reader: Reader) -> dict[str, WindowManifest]:
    """Return the pipeline's own windows, by name."""
    if node is None:
        return {}
    if len(node.entries) > WINDOWS_MAX:
        place = node.entries[WINDOWS_MAX][0].place
        reader.problems.add(place, f"there are more than {WINDOWS_MAX} windows", rule="limit")
    windows: dict[str, WindowManifest] = {}
    for key, body in node.entries[:WINDOWS_MAX]:
        title = f"window {quoted(key.text)}"
        if mistake := name_mistake(key.text):
            reader.problems.add(key.place, mistake)
        elif not isinstance(body, Mapping):
            reader.problems.add(body.place, f"{title} must be a mapping", "write its hours: …", "wrong-type")
        elif window := reader.part(body, WindowManifest, title):
            windows[key.text] = window
    return windows


def check_vars(node: Node | None, reader: Reader) -> None:
    """Report expressions where none are resolved: in the values that expressions read."""
    for scalar in scalars(node) if node else ():
        if isinstance(scalar.value, str) and has_expression(scalar.value):
            message = "expressions are not resolved inside vars"
            reader.problems.add(scalar.place, message, "write it where the value is used", "expression")


def check_alarm(alarm: str | None, node: Mapping, reader: Reader) -> None:
    """Tell of an alarm that is called so that no monitor can tell of it."""
    if alarm is not None and not ALARM.fullmatch(alarm):
        message = f"no monitor can tell Windlass of an alarm called {quoted(alarm)}"
        hint = "call it by letters, digits and . _ - : /"
        reader.problems.warn(place_of(node, "auto_rollback_alarm_name"), message, hint, "no-effect")


def check_region(region: str | None, node: Mapping, reader: Reader) -> None:
    """Tell of a region that is written like one and not known."""
    place = place_of(node, "region")
    if region is not None and region not in REGIONS and not reader.problems.has_error_at(place):
        message = f"{quoted(region)} is not a region that AWS is known to have"
        reader.problems.warn(place, message, did_you_mean(region, REGIONS), "wrong-value")


def _seconds(part: Stage, defaults: StageDefaults) -> float:
    minutes = part.timeout_minutes or defaults.timeout_minutes
    return minutes * 60.0 if minutes else STAGE_SECONDS
