"""What `windlass plan --json` prints. Its form is version 1: keys are added, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from services.cli.artifact_fate import fates
from services.cli.planning import Pipeline, Source, Sources
from services.cli.queue_effects import QueueEffects
from services.cli.report.checked_file import CheckedFile
from services.cli.report.document import document as checked_document
from shared.language.difference import Change

Document = dict[str, Any]


def document(found: Sources, pipelines: Sequence[Pipeline], queues: Mapping[str, QueueEffects]) -> Document:
    """Return all of it."""
    return {
        "version": 1,
        "planned": _source(found.new),
        "compared_with": _source(found.old) if found.old else None,
        "pipelines": [_pipeline(each, queues.get(each.file.slug)) for each in pipelines],
    }


def _source(source: Source) -> Document:
    commit = source.commit if source.commit.strip("0") else None
    return {"name": _text(source.name), "commit": commit, "tree": source.tree.id}


def _pipeline(pipeline: Pipeline, queue: QueueEffects | None) -> Document:
    plan = pipeline.plan
    return {
        "pipeline": pipeline.file.slug,
        "file": _text(pipeline.file.path),
        "problems": _problems(pipeline),
        "plan": plan.model_dump(mode="json") if plan else None,
        "plan_hash": plan.content_hash() if plan else None,
        "artifacts": [
            {
                "id": each.artifact.id,
                "stage": each.artifact.stage,
                "build_key": each.artifact.build_key,
                "fate": each.fate,
                "reasons": [_text(reason) for reason in each.reasons],
            }
            for each in (fates(plan, pipeline.before) if plan else ())
        ],
        "changes": [change_document(change) for change in pipeline.changes],
        "approval": _approval(pipeline),
        "queue": asdict(queue) if queue else None,
        "notes": [_text(note) for note in pipeline.notes],
    }


def _problems(pipeline: Pipeline) -> list[Any]:
    """Return them as `windlass validate --json` does."""
    file = pipeline.file
    checked = CheckedFile(file.path, file.path, file.slug, pipeline.source, pipeline.problems)
    return list(checked_document([checked], strict=False)["files"][0]["problems"])


def change_document(change: Change) -> Document:
    """Return one change, with what follows from its rule."""
    return {**change.model_dump(mode="json"), "destructive": change.is_destructive}


def _approval(pipeline: Pipeline) -> Document | None:
    needed = pipeline.approval
    if needed is None:
        return None
    changes = [change_document(change) for change in needed.changes]
    return {"mode": needed.mode, "changes": changes, "further": needed.further}


def _text(text: str) -> str:
    """Return a text without halves of characters, which no JSON reader takes."""
    return text.encode("utf-8", "backslashreplace").decode()
