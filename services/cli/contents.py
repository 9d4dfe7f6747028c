"""Every command of `windlass`: where it is, and its line in the list. A new command is a new line here."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One command, or one group of commands."""

    place: str  # "repo:app", in services/cli/commands: a function, or a `typer.Typer` for a group
    help: str  # what the list says: one line


# fmt: off
CONTENTS: Mapping[str, Entry] = {
    "validate":        Entry("validate:validate", "Check pipeline files: every problem, and where it stands"),
    "plan":            Entry("plan:plan", "Show what a push would do: stages, steps, differences"),
    "schema":          Entry("schema:schema", "Print the JSON Schema that editors check the files with"),
    "classify":        Entry("classify:classify", "Say what failed, from any log, and what to do about it"),
    "scan":            Entry("scan:scan", "Say what is in a repository, and which file says so"),
    "init":            Entry("init:init", "Write a pipeline file from what lies in a repository"),
    "up":              Entry("up:up", "Start Windlass here: every service in one process"),
    "down":            Entry("down:down", "End what local stages serve on this machine"),
    "repo":            Entry("repo:app", "The repositories that are deployed from"),
    "deploy":          Entry("deploy:deploy", "Deploy the newest commit of a pipeline's branch, or another"),
    "status":          Entry("status:status", "Show what runs where, what waits, and for what"),
    "pushes":          Entry("pushes:pushes", "Show what came of each push, and why nothing did"),
    "logs":            Entry("logs:logs", "Print what builds and steps printed, in the order it came"),
    "why":             Entry("why:why", "Say why a stage is as it is, and what ends its waiting"),
    "runs":            Entry("runs:runs", "Show what ran in a stage and how long it took, or one run"),
    "diagnose":        Entry("diagnose:diagnose", "Say why a run failed, what follows, and what to do"),
    "health":          Entry("health:health", "Show how what is live is doing, since when, and why"),
    "cancel":          Entry("cancel:cancel", "End the run that holds a stage, or else the one that waits"),
    "retry":           Entry("retry:retry", "Deploy a revision once more that failed in a stage"),
    "rollback":        Entry("rollback:rollback", "Go back to a revision that succeeded in a stage before"),
    "roll-forward":    Entry("rollback:roll_forward", "Put a newer revision into a stage, past its queue"),
    "stop":            Entry("stop:stop", "Let a stage, or a whole pipeline, begin nothing more"),
    "resume":          Entry("stop:resume", "Let it begin runs again"),
    "approve":         Entry("approval:approve", "Approve what a stage waits for somebody to look at"),
    "reject":          Entry("approval:reject", "Reject it: the run fails, or never begins"),
    "release-hold":    Entry("opening:release_hold", "Let in again what a stage was rolled back from"),
    "lift-blocker":    Entry("opening:lift_blocker", "Open a stage though what blocks it is not over"),
    "override-window": Entry("opening:override_window", "Open a stage for hours, whatever its window says"),
    "history":         Entry("history:history", "Say who did what, when and why, and what came of it"),
    "shipped":         Entry("shipped:shipped", "Say which deployment shipped a commit, stage by stage"),
    "dead-letters":    Entry("dead_letters:app", "Messages that a service could not take"),
    "serve":           Entry("serve:serve", "Run single services on Kafka and PostgreSQL"),
    "migrate":         Entry("migrate:migrate", "Make or renew the tables of the PostgreSQL database"),
    "topics":          Entry("topics:app", "The topics on the Kafka brokers"),
    "token":           Entry("token:token", "Print a new token for the HTTP API"),
}
# fmt: on
