"""What may be registered, and under which name."""

import pytest

from services.ingest.registration import check_name, check_remote, name_for
from shared.faults import Refused


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("https://github.com/acme/shop.git", "acme/shop"),
        ("https://github.com/acme/shop", "acme/shop"),
        ("https://git.example/deep/er/acme/shop/", "acme/shop"),
        ("https://git.example/shop", "shop"),
        ("git@github.com:acme/shop.git", "acme/shop"),
        ("ssh://git@git.example:2222/acme/shop.git", "acme/shop"),
        ("/srv/git/shop", "shop"),
        ("/srv/git/shop/", "shop"),
        ("/srv/git/shop.git", "shop"),
        ("/srv/git/shop/.git", "shop"),
        ("/srv/git/my shop (new)", "my-shop-new"),
        ("/srv/git/日本", "repository"),
        ("/", "repository"),
    ],
)
def test_a_repository_is_called_as_its_remote_says(remote: str, name: str) -> None:
    assert name_for(remote, set()) == name
    assert check_name(name) == name


def test_a_taken_name_gets_a_number() -> None:
    assert name_for("/srv/shop", {"shop", "shop-2"}) == "shop-3"


@pytest.mark.parametrize(
    "remote", ["https://git.example/acme/shop", "git@git.example:acme/shop.git", "/srv/git/shop"]
)
def test_a_remote_is_kept_as_it_was_given(remote: str) -> None:
    assert check_remote(remote) == remote


def test_a_file_url_is_kept_as_its_path() -> None:
    assert check_remote("file:///srv/git/my%20shop") == "/srv/git/my shop"


@pytest.mark.parametrize(
    "remote",
    [
        pytest.param("", id="nothing"),
        pytest.param("shop", id="a relative path"),
        pytest.param("--upload-pack=touch /tmp/x", id="an option"),
        pytest.param("ext::sh -c id", id="a transport that runs programs"),
        pytest.param("ssh://-oProxyCommand=id/x", id="a host that is an option"),
        pytest.param("https://git.example/a\nb", id="two lines"),
        pytest.param("https://ann:hunter2@git.example/a", id="a password"),
        pytest.param("https://token@git.example/a", id="a token"),
        pytest.param("ftp://git.example/a", id="another protocol"),
        pytest.param("https://git.example/" + "a" * 3_000, id="endless"),
    ],
)
def test_what_git_must_not_be_pointed_at_is_refused(remote: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_remote(remote)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("name", ["", "-x", ".git", "a//b", "a/", "/a", "a b", "a\n", "a/../b", "x" * 300])
def test_a_chosen_name_is_held_to_the_same_form(name: str) -> None:
    with pytest.raises(Refused):
        check_name(name)
