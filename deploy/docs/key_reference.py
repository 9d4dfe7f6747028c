"""`docs/pipeline-keys.md`: every key of a pipeline file, from the models that files are checked against."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deploy.docs.markdown import link, table
from deploy.docs.schema_words import Json, default_in_words, in_words, models_in
from shared.language.definition_reading import VERSIONS
from shared.language.manifest import PipelineFile
from shared.language.schema import schema
from shared.language.schema_form import draft_07

HEAD = f"""\
# The keys of a pipeline file

Written by `make docs` from `shared/language/manifest`; do not edit.

What a file as a whole is: [the pipeline file](pipeline.md). What stands in `params`:
[steps and artifacts](steps.md). *DevRamps* marks the keys that a file in `.devramps/` may have too; the rest
are Windlass's own, and a file in `.windlass/` may have all. A key with nothing behind it counts as absent.
Not every key is carried out yet: [which a push is refused for](pipeline.md#not-carried-out-yet).
The `version` of a DevRamps file is `"{VERSIONS["devramps"][0]}"`.
"""
WHOLE = PipelineFile.__name__

Models = Mapping[str, Json]  # by their names


@dataclass(frozen=True, slots=True)
class Section:
    """The keys of one mapping."""

    model: str
    places: tuple[str, ...]  # where in a file it stands, each the way down from the top

    @property
    def title(self) -> str:
        """Return what it is called: its first place; the file itself has none."""
        return self.places[0]


@dataclass(frozen=True, slots=True)
class Reference:
    """What is told of the language."""

    models: Models
    ours: Models  # as editors are told of them
    theirs: Models

    def page(self) -> str:
        """Return the whole page."""
        sections = self.sections()
        told = {each.model: self._said_of(each) for each in sections}
        return "\n".join([HEAD, *(self._section(each, told) for each in sections)])

    def sections(self) -> tuple[Section, ...]:
        """Return every mapping that a file may have, in the order in which its keys are told."""
        places: dict[str, list[str]] = {}
        self._walk(WHOLE, "", places)
        return tuple(Section(model, tuple(found)) for model, found in places.items())

    def _walk(self, model: str, place: str, places: dict[str, list[str]]) -> None:
        found = places.setdefault(model, [])
        found.append(place)
        if len(found) > 1:
            return
        for key, part in _properties(self.models[model]).items():
            for inner, dots in models_in(part):
                self._walk(inner, f"{place}.{key}{dots}".lstrip("."), places)

    def _said_of(self, section: Section) -> str:
        """Return what may be written for a model: a mapping, and what else."""
        forms = [form for form in self.models[section.model].get("anyOf", ()) if "properties" not in form]
        return " or ".join([*map(in_words, forms), link(section.title, "mapping")])

    def _section(self, section: Section, told: Mapping[str, str]) -> str:
        keys = _properties(self.models[section.model]).items()
        rows = [self._row(section.model, key, part, told) for key, part in keys]
        heading = f"`{section.title}`" if section.places[0] else "The file"
        sentence = self.models[section.model]["description"].splitlines()[0]
        others = ", ".join(f"`{place}`" for place in section.places[1:])
        also = f" Also: {others}." if others else ""
        columns = ("Key", "Type", "Default", "", "Meaning", "Example")
        return f"## {heading}\n\n{sentence}{also}\n\n{table(columns, rows)}"

    def _row(self, model: str, key: str, part: Json, told: Mapping[str, str]) -> tuple[str, ...]:
        is_needed = key in self.ours[model].get("required", ())
        return (
            f"`{key}`",
            in_words(part, told),
            "needed" if is_needed else default_in_words(part) or self._usual(part),
            "DevRamps" if key in _properties(self.theirs.get(model, {})) else "",
            part["description"],
            "<br>".join(_examples(part)),
        )

    def _usual(self, part: Json) -> str:
        """Return what holds for a value of a model of its own, if that is one word."""
        for inner, dots in models_in(part):
            if not dots and isinstance(self.models[inner].get("default"), str):
                return f"`{json.dumps(self.models[inner]['default'])}`"
        return ""


def render() -> str:
    """Return the whole page."""
    return reference().page()


def reference() -> Reference:
    """Return what there is to tell."""
    written = draft_07(PipelineFile.model_json_schema(ref_template="{model}"))
    made = (written, schema("pipeline"), schema("devramps"))
    return Reference(*({WHOLE: each, **each["definitions"]} for each in made))


def _properties(model: Json) -> Json:
    """Return the keys of a model, which may have other forms too."""
    forms = (model, *model.get("anyOf", ()))
    return next((form["properties"] for form in forms if "properties" in form), {})


def _examples(part: Json) -> Iterator[str]:
    for example in part.get("examples", ()):
        yield f"`{json.dumps(example, ensure_ascii=False)}`"
