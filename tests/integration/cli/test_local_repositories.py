"""The hook of docs/howto/local-repositories.md, as git runs it."""

import asyncio
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.conftest import Office

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "local-repositories.md"


def git(*words: str | Path, at: Path) -> str:
    identity = {f"GIT_{who}_{what}": "ada@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **identity}
    ended = subprocess.run(
        ["git", *words], cwd=at, env=environment, check=True, capture_output=True, text=True
    )
    return ended.stdout + ended.stderr


@pytest.fixture
def bare(office: Office, tmp_path: Path) -> Path:
    """A registered bare repository with the hook in it."""
    folder = tmp_path / "shop.git"
    git("init", "--bare", folder, at=tmp_path)
    added = json.loads(office.windlass("repo", "add", str(folder), "--name", "shop", "--json").out)
    git("config", "windlass.url", added["webhook_url"], at=folder)
    git("config", "windlass.secret", added["secret"], at=folder)
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    hook = folder / "hooks" / "post-receive"
    hook.write_text(found[1], encoding="utf-8")
    hook.chmod(0o755)
    return folder


def pushed(bare: Path, tmp_path: Path) -> tuple[str, str]:
    """Push a commit; return it and what git said."""
    work = tmp_path / "work"
    git("init", "-b", "main", work, at=tmp_path)
    git("commit", "--allow-empty", "-m", "one", at=work)
    return git("rev-parse", "HEAD", at=work).strip(), git("push", bare, "main", at=work)


def test_a_push_into_a_folder_with_the_hook_arrives(office: Office, bare: Path, tmp_path: Path) -> None:
    commit, said = pushed(bare, tmp_path)
    assert "Windlass was told." in said

    async def shown() -> dict[str, Any]:
        found: list[dict[str, Any]] = []
        while not found:
            await asyncio.sleep(0)
            answer = await office.town.web.client.get("/api/v1/pushes", params={"repository": "shop"})
            found = answer.json()["pushes"]
        return found[0]

    push = office.do(shown())
    assert (push["repository"], push["branch"], push["commit"]) == ("shop", "main", commit)


def test_a_hook_with_a_wrong_secret_says_so_and_the_push_stays(bare: Path, tmp_path: Path) -> None:
    git("config", "windlass.secret", "wrong", at=bare)
    commit, said = pushed(bare, tmp_path)
    assert "Windlass was not told of refs/heads/main" in said
    assert git("rev-parse", "main", at=bare).strip() == commit


def test_adding_a_folder_says_that_it_notices_no_push(office: Office, tmp_path: Path) -> None:
    git("init", "--bare", tmp_path / "quiet.git", at=tmp_path)
    said = office.windlass("repo", "add", str(tmp_path / "quiet.git")).out
    assert "windlass deploy" in said
    assert "docs/howto/local-repositories.md" in said
    assert "forge" not in said
