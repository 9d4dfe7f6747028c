"""What is known from the pushes looked at before, in one burst."""

import pytest

from services.synthesizer.push_worker import Standing
from shared.ids import Pipeline
from shared.language.definition_reading import read_definition
from shared.language.discovery import PipelineFile

FILE = PipelineFile(Pipeline("shop"), ".windlass/shop/pipeline.yaml")
TEXT = 'version: "1"\npipeline:\n  name: Shop\n  stages:\n    - name: production\n'
SOURCES = [TEXT.encode(), TEXT.replace("Shop", "Shoe").encode(), b"", b"pipeline: [", TEXT.encode()]


def test_a_file_that_did_not_change_is_read_once() -> None:
    standing = Standing()
    first = standing.definition_in(FILE, SOURCES[0])
    assert standing.definition_in(FILE, bytes(bytearray(SOURCES[0]))) is first


@pytest.mark.parametrize("path", [FILE.path, ".windlass/store/pipeline.yaml"])
def test_whatever_was_read_before_a_file_says_what_it_says(path: str) -> None:
    standing = Standing()
    file = PipelineFile(Pipeline("shop"), path)
    for source in SOURCES:
        standing.definition_in(FILE, source)
        assert standing.definition_in(file, source) == read_definition(path, source)
