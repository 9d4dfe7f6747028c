"""The ordered rules and what is made of them: one classification for any failure, never none.

Deterministic and offline. What follows from a failure is the deployer's to decide.
"""

import shlex
from dataclasses import dataclass, replace

from shared.diagnosis.access_rules import ACCESS_RULES
from shared.diagnosis.build_rules import BUILD_RULES
from shared.diagnosis.compiler_rules import COMPILER_RULES
from shared.diagnosis.data_rules import DATA_RULES
from shared.diagnosis.dependency_rules import DEPENDENCY_RULES
from shared.diagnosis.ending_rules import ENDING_RULES, STAGE_RULES
from shared.diagnosis.evidence import Case, Phase, Setting, case_of, case_of_log
from shared.diagnosis.file_rules import FILE_RULES
from shared.diagnosis.host_rules import HOST_RULES
from shared.diagnosis.image_build_rules import IMAGE_BUILD_RULES
from shared.diagnosis.listening_rules import LISTENING_RULES
from shared.diagnosis.machine_rules import MACHINE_RULES
from shared.diagnosis.migration_rules import MIGRATION_RULES
from shared.diagnosis.network_rules import NETWORK_RULES
from shared.diagnosis.path_rules import PATH_RULES
from shared.diagnosis.probe_rules import PROBE_RULES
from shared.diagnosis.program_rules import PROGRAM_RULES
from shared.diagnosis.project_test_rules import TEST_RULES
from shared.diagnosis.provider_access_rules import PROVIDER_ACCESS_RULES
from shared.diagnosis.provider_rules import PROVIDER_RULES
from shared.diagnosis.publish_rules import PUBLISH_RULES
from shared.diagnosis.remote_rules import REMOTE_RULES
from shared.diagnosis.rollback_rules import RollbackRule, rollback_rule
from shared.diagnosis.rollout_rules import ROLLOUT_LAST_RULES, ROLLOUT_RULES
from shared.diagnosis.rule import Answer, Finding, Rule
from shared.diagnosis.setting_rules import SETTING_RULES
from shared.diagnosis.source_rules import SOURCE_RULES
from shared.diagnosis.start_rules import CLUSTER_RULES, START_RULES
from shared.diagnosis.stated_rules import STATED_RULES
from shared.diagnosis.summary import summary_of
from shared.diagnosis.time_rules import TIME_RULES
from shared.diagnosis.tool_rules import TOOL_LAST_RULES, TOOL_RULES
from shared.diagnosis.toolchain_rules import TOOLCHAIN_RULES
from shared.events import Confidence, Evidence, EvidenceLine, FixCard

LINES_SHOWN_MAX = 6

# Of two causes in one place the one that stands first here is the cause.
RULES: tuple[Rule, ...] = (
    *STATED_RULES,
    *PROBE_RULES,
    *STAGE_RULES,
    *TEST_RULES,
    *MACHINE_RULES,
    *ROLLOUT_RULES,
    *CLUSTER_RULES,
    *PROVIDER_ACCESS_RULES,
    *PROVIDER_RULES,
    *TOOL_RULES,
    *REMOTE_RULES,
    *HOST_RULES,
    *PUBLISH_RULES,
    *ACCESS_RULES,
    *SOURCE_RULES,
    *NETWORK_RULES,
    *IMAGE_BUILD_RULES,
    *DEPENDENCY_RULES,
    *TOOLCHAIN_RULES,
    *SETTING_RULES,
    *LISTENING_RULES,
    *FILE_RULES,
    *PATH_RULES,
    *COMPILER_RULES,
    *MIGRATION_RULES,
    *DATA_RULES,
    *START_RULES,
    *ROLLOUT_LAST_RULES,
    *TOOL_LAST_RULES,
    *PROGRAM_RULES,
    *TIME_RULES,
    *BUILD_RULES,
    *ENDING_RULES,
)


@dataclass(frozen=True, slots=True)
class Classification:
    """What a failure is, and what it rests on."""

    answer: Answer
    rule: str
    confidence: Confidence
    likely_cause: str
    evidence: tuple[EvidenceLine, ...]
    fix: FixCard

    @property
    def summary(self) -> str:
        """Return in a sentence what failed, and whether the same again may help."""
        return summary_of(self.answer.stage, retryable=self.answer.retryable)

    @property
    def lines(self) -> tuple[str, ...]:
        """Return what it rests on, without the places."""
        return tuple(dict.fromkeys(each.text for each in self.evidence))


def classify(evidence: Evidence, setting: Setting) -> Classification:
    """Name a failed run's failure."""
    return classify_case(case_of(evidence, setting), setting)


def classify_log(text: str) -> Classification:
    """Name the failure that a bare log tells of."""
    return classify_case(case_of_log(text), Setting())


def classify_case(case: Case, setting: Setting) -> Classification:
    """Name a failure as the rules see it."""
    rule, finding = _earliest(case)
    phase = _phase(case, rule, finding)
    found = Classification(
        answer=rule.answer(phase),
        rule=rule.name,
        confidence=rule.confidence,
        likely_cause=rule.cause,
        evidence=_shown(case, finding),
        fix=FixCard(
            check=rule.check, commands=_filled(rule.commands, case, setting), done_when=rule.done_when
        ),
    )
    over = rollback_rule(setting)
    return _of_rollback(found, over, case, setting) if over else found


def _phase(case: Case, rule: Rule, finding: Finding) -> Phase:
    """Return where it happened: as is known, or else as the line that was found has it, or its rule."""
    if case.phase != "unknown":
        return case.phase
    return rule.home if finding.home == "unknown" else finding.home


def _of_rollback(
    underlying: Classification, rule: RollbackRule, case: Case, setting: Setting
) -> Classification:
    """Name the rollback's failure, and tell what it was with it: that is to be mended first."""
    fix = FixCard(
        check=(*underlying.fix.check, *rule.check),
        commands=tuple(dict.fromkeys((*underlying.fix.commands, *_filled(rule.commands, case, setting)))),
        done_when=rule.done_when,
    )
    return replace(
        underlying,
        answer=Answer("rollback", "rollback_failure", rule.code),
        rule=rule.name,
        confidence="certain",
        likely_cause=f"{rule.cause} {underlying.likely_cause}",
        fix=fix,
    )


def _earliest(case: Case) -> tuple[Rule, Finding]:
    """Return the rule whose cause stands first in the story; `min` keeps the first of equals."""
    found = [(rule, finding) for rule in RULES if (finding := rule.find(case))]
    return min(found, key=lambda pair: pair[1].place)


def _shown(case: Case, finding: Finding) -> tuple[EvidenceLine, ...]:
    """Return our own sentence about it, and what the rule rests on."""
    told = [EvidenceLine(line=None, text=case.message)] if case.message else []
    for each in finding.lines:
        place = each if isinstance(each, int) else None
        text = case.lines[each] if isinstance(each, int) else each
        number = case.number_of(place) if place is not None else None
        if text and (number is not None or text != case.message):
            told.append(EvidenceLine(line=number, text=text))
    return tuple(told[:LINES_SHOWN_MAX])


def _filled(commands: tuple[str, ...], case: Case, setting: Setting) -> tuple[str, ...]:
    """Fill in the commands; one that names a run's place is left out where there is no run."""
    probe = case.failed_probe
    values = {
        "pipeline": setting.pipeline,
        "stage": setting.stage,
        "revision": setting.revision,
        "url": probe.url if probe else "URL",
    }
    quoted = {name: shlex.quote(value) for name, value in values.items()}
    known = [each for each in commands if setting.pipeline or "{pipeline}" not in each]
    return tuple(command.format_map(quoted) for command in known)
