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
    "validate":     Entry("validate:validate", "Check pipeline files: every problem, and where it stands"),
    "plan":         Entry("plan:plan", "Show what a push would do: stages, steps, builds, differences"),
    "schema":       Entry("schema:schema", "Print the JSON Schema that editors check pipeline files with"),
    "scan":         Entry("scan:scan", "Say what is in a repository, and which file says so"),
    "init":         Entry("init:init", "Write a pipeline file from what lies in a repository"),
    "up":           Entry("up:up", "Start Windlass here: every service in one process"),
    "down":         Entry("down:down", "End what local stages serve on this machine"),
    "repo":         Entry("repo:app", "The repositories that are deployed from"),
    "deploy":       Entry("deploy:deploy", "Deploy the newest commit of a pipeline's branch, or another"),
    "status":       Entry("status:status", "Show what runs where, what waits, and for what"),
    "pushes":       Entry("pushes:pushes", "Show what came of each push, and why nothing did"),
    "logs":         Entry("logs:logs", "Print what builds and steps printed, in the order it came"),
    "why":          Entry("why:why", "Say why a stage is as it is, and what ends its waiting"),
    "cancel":       Entry("cancel:cancel", "End the run that holds a stage, or else the one that waits"),
    "dead-letters": Entry("dead_letters:app", "Messages that a service could not take"),
    "serve":        Entry("serve:serve", "Run single services on Kafka and PostgreSQL"),
    "migrate":      Entry("migrate:migrate", "Make or renew the tables of the PostgreSQL database"),
    "topics":       Entry("topics:app", "The topics on the Kafka brokers"),
    "token":        Entry("token:token", "Print a new token for the HTTP API"),
}
# fmt: on
