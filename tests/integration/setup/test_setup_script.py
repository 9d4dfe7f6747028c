"""`make setup` on machines that lack something: what it says. That it works is what CI begins with."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "deploy/setup.sh"

TOO_OLD = "#!/bin/sh\nexit 1\n"
NO_ENSUREPIP = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\n'
UNABLE = '#!/bin/sh\n[ "$1" = -c ]\n'


def set_up(folder: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """Run the script in an empty folder, where PATH has nothing but `programs`."""
    path = folder / "bin"
    path.mkdir()
    (path / "rm").symlink_to("/bin/rm")
    for name, text in programs.items():
        (path / name.replace("_", ".")).write_text(text, encoding="utf-8")
        (path / name.replace("_", ".")).chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(SCRIPT)],
        cwd=folder,
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


def test_without_python_it_says_what_to_install(tmp_path: Path) -> None:
    ended = set_up(tmp_path)
    assert ended.returncode == 1
    assert "Python 3.11 or newer is missing" in ended.stderr
    assert "apt install python3" in ended.stderr


def test_an_old_python_is_none(tmp_path: Path) -> None:
    ended = set_up(tmp_path, python3=TOO_OLD)
    assert ended.returncode == 1
    assert "Python 3.11 or newer is missing" in ended.stderr


def test_without_ensurepip_it_says_what_to_install(tmp_path: Path) -> None:
    ended = set_up(tmp_path, python3_11=NO_ENSUREPIP)
    assert ended.returncode == 1
    assert "python3.11 cannot make a virtual environment" in ended.stderr
    assert "apt install python3-venv" in ended.stderr


@pytest.mark.parametrize("made_before", [False, True])
def test_a_failed_setup_is_not_taken_for_done(tmp_path: Path, made_before: bool) -> None:
    if made_before:
        (tmp_path / ".venv").mkdir()
        (tmp_path / ".venv/.ready").touch()
    ended = set_up(tmp_path, python3=UNABLE)
    assert ended.returncode == 1
    assert "python3 could not make .venv" in ended.stderr
    assert not (tmp_path / ".venv/.ready").exists()
