"""JSON Schemas of pipeline files, for editors, and of plans, for whoever reads them.

They are made from the models that files are checked against. A schema looks at one value at a time: names
that refer to others, expressions and sums are judged by `windlass validate` alone, and what that takes a
schema takes too. Draft-07, because that is what the editors' YAML language servers understand whole.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from shared.artifact_types import ARTIFACT_TYPES
from shared.language.definition_reading import STAGES_MAX, STEPS_MAX, VERSIONS
from shared.language.manifest import PipelineFile
from shared.language.manifest.part import MINUTES_MAX, OURS
from shared.language.manifest.window import PRESETS
from shared.language.schema_form import (
    EXPRESSION,
    REF,
    draft_07,
    empty_allowed,
    expressions_allowed,
    reachable,
    unmarked,
    without,
)
from shared.language.tracks import USUAL_BRANCH
from shared.plan import Plan
from shared.step_types import STEP_TYPES, Params
from shared.step_types.catalogue import ANY_CUSTOM, CUSTOM, DEVRAMPS

Json = dict[str, Any]
Dialect = Literal["pipeline", "devramps"]
Kind = Literal["pipeline", "devramps", "plan"]

DRAFT = "http://json-schema.org/draft-07/schema#"
TITLES: Mapping[Kind, str] = {
    "pipeline": "A Windlass pipeline: .windlass/<pipeline>/pipeline.yaml",
    "devramps": "A DevRamps pipeline, as Windlass takes it: .devramps/<pipeline>/pipeline.yaml",
    "plan": "A plan of Windlass: what synthesis fixed about one revision",
}

_MARKER = next(iter(OURS))
_MODEL = f"{REF}{{model}}"
_CUSTOM_FORM = f"^({DEVRAMPS})?{CUSTOM}[A-Za-z0-9_:-]{{1,100}}$"
_HOST_KEYS = ("architecture", "host_size", "dependencies")  # of steps whose code is a user's own


def schema(kind: Kind) -> Json:
    """Return a schema; equal code gives equal ones, to the order of their keys."""
    made = _plan() if kind == "plan" else _file(kind)
    definitions = made.pop("definitions")
    kept = {name: definitions[name] for name in sorted(reachable(made, definitions))}
    return {"$schema": DRAFT, "title": TITLES[kind], **made, "definitions": kept}


def document(kind: Kind) -> str:
    """Return a schema as the text of its file."""
    return json.dumps(schema(kind), indent=2) + "\n"


def _plan() -> Json:
    return draft_07(Plan.model_json_schema(mode="serialization", ref_template=_MODEL))


def _file(kind: Dialect) -> Json:
    written = PipelineFile.model_json_schema(ref_template=_MODEL)
    made = draft_07(unmarked(_MARKER, written) if kind == "pipeline" else without(_MARKER, written))
    made["properties"]["version"] = _version(kind)
    definitions: Json = {name: empty_allowed(part) for name, part in made["definitions"].items()}
    definitions["Pipeline"] = _pipeline(definitions["Pipeline"])
    _add_types(definitions, "Step", {name: row.params for name, row in STEP_TYPES.items()}, kind)
    _add_types(definitions, "Artifact", {name: row.params for name, row in ARTIFACT_TYPES.items()}, kind)
    definitions["Step"]["allOf"].append(_custom_alone(_HOST_KEYS))
    definitions[EXPRESSION] = {
        "description": "A value that is resolved when a revision is planned or run",
        "examples": ["${{ vars.name }}"],
        "type": "string",
        "pattern": r"\$\{\{",
    }
    if kind == "devramps":
        _narrow(definitions)
    else:
        _name_presets(definitions)
    return {**made, "definitions": definitions}


def _version(kind: Dialect) -> Json:
    if kind == "devramps":
        return {"description": "Of the language", "const": VERSIONS["devramps"][0]}
    return {"description": "Of the language", "enum": [*VERSIONS["windlass"]]}


def _pipeline(pipeline: Json) -> Json:
    """Say what the reader of files asks for beyond the model."""
    properties = dict(pipeline["properties"])
    for key, most in (("stages", STAGES_MAX), ("steps", STEPS_MAX)):
        listing = {name: value for name, value in properties[key].items() if name != "default"}
        properties[key] = {**listing, "type": "array", "minItems": 1, "maxItems": most}
    required = [*pipeline.get("required", ()), "stages", "steps"]
    return {**pipeline, "properties": properties, "required": required}


def _add_types(definitions: Json, name: str, types: Mapping[str, type[Params]], kind: Dialect) -> None:
    """Say in one definition which types there are, and of each what its parameters are."""
    written = definitions[name]
    named = [type_ for type_ in types if type_ != ANY_CUSTOM]
    notations = [named, [DEVRAMPS + type_ for type_ in named]]
    names = [text for notation in notations[:: -1 if kind == "devramps" else 1] for text in notation]
    forms: list[Json] = [{"enum": names}]
    if ANY_CUSTOM in types:
        forms.append({"pattern": _CUSTOM_FORM})
    type_ = {**written["properties"]["type"], "type": "string", "anyOf": forms}
    properties = {**written["properties"], "type": type_}
    written_as = unmarked if kind == "pipeline" else without
    conditions = [
        _condition(each, types[each], definitions, written_as, of_step=name == "Step") for each in named
    ]
    definitions[name] = {**written, "properties": properties, "allOf": conditions}


def _condition(
    type_: str,
    params: type[Params],
    definitions: Json,
    written_as: Callable[[str, Json], Json],
    *,
    of_step: bool,
) -> Json:
    whole = params.model_json_schema(ref_template=f"{REF}{{model}}_in_params")
    made = draft_07(written_as(_MARKER, whole))
    for name, part in made.pop("definitions", {}).items():
        definitions[f"{name}_in_params"] = expressions_allowed(part)
    known = made.get("properties", {})
    limit = {"timeout": known.get("timeout", _timeout())} if of_step else {}  # known to whoever plans
    made["properties"] = {**expressions_allowed({"properties": known})["properties"], **limit}
    definitions[params.__name__] = made
    then: Json = {"properties": {"params": {"$ref": REF + params.__name__}}}
    if made.get("required"):
        then["required"] = ["params"]
    names = [type_, DEVRAMPS + type_]
    return {"if": {"properties": {"type": {"enum": names}}, "required": ["type"]}, "then": then}


def _timeout() -> Json:
    return {
        "description": "Minutes for one attempt; the same as timeout_minutes of the step",
        "type": "integer",
        "minimum": 1,
        "maximum": int(MINUTES_MAX),
    }


def _custom_alone(keys: tuple[str, ...]) -> Json:
    """Refuse keys of every other step."""
    custom = {"properties": {"type": {"pattern": _CUSTOM_FORM}}, "required": ["type"]}
    return {"if": {"not": custom}, "then": {"properties": dict.fromkeys(keys, False)}}


def _name_presets(definitions: Json) -> None:
    """Let editors offer the presets where a window's name may stand."""
    presets = {"description": "A preset", "enum": [*PRESETS]}
    own = {"description": "The name of one of `windows`", "type": "string"}
    window = {"$ref": f"{REF}WindowManifest"}
    for name in ("Stage", "StageDefaults"):
        setting = definitions[name]["properties"]["deployment_time_window"]
        about = {key: setting[key] for key in ("description", "examples") if key in setting}
        definitions[name]["properties"]["deployment_time_window"] = {
            **about,
            "anyOf": [presets, own, window, {"type": "null"}],
        }


def _narrow(definitions: Json) -> None:
    """Leave out the forms of values that a DevRamps file cannot have."""
    definitions["Pipeline"]["properties"]["tracks"] = {
        "description": "The branch whose pushes deploy",
        "default": USUAL_BRANCH,
        "type": ["string", "null"],
    }
    for name in ("Stage", "StageDefaults"):
        setting = definitions[name]["properties"]["deployment_time_window"]
        definitions[name]["properties"]["deployment_time_window"] = {
            "description": setting["description"],
            "enum": [*PRESETS, None],
        }
    stage = definitions["Stage"]
    definitions["Stage"] = {**stage, "required": [*stage["required"], "account_id", "region"]}
