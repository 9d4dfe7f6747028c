"""What a shim sees of its child, at moments that no real one can be brought to on purpose."""

import os
import select
import subprocess
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.process import ProcessSpec
from shared.process.attempt import encode
from shared.process.shim import supervision
from shared.process.shim.child import Spec
from shared.process.shim.supervision import Shim


def test_a_shim_that_stood_still_when_its_child_ended_takes_what_the_child_had_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = subprocess.Popen(["true"], start_new_session=True)
    ended.wait()
    wake, wake_end = os.pipe()
    out, out_end = os.pipe()
    os.set_blocking(out, False)
    os.write(out_end, b"the last words\n")
    shim = Shim(Spec(encode(ProcessSpec(("true",), tmp_path, {}))), wake)
    shim._pipe = out
    shim._poll.register(out, select.POLLIN)
    seconds = count()
    clock = SimpleNamespace(monotonic=lambda: float(next(seconds)))  # one passes between any two looks
    monkeypatch.setattr(supervision, "time", clock)
    shim._settle(ended.pid)
    for end in (wake, wake_end, out_end):
        os.close(end)
    assert (tmp_path / "output").read_text().endswith(" the last words\n")
