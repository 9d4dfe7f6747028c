"""Who is believed to have signed a webhook."""

import hmac
from hashlib import sha1, sha256

import pytest

from services.ingest.signature import NOBODYS_SECRET, is_signed

SECRET = b"s3cret"
BODY = b'{"ref":"refs/heads/main"}'


def signed(body: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, body, sha256).hexdigest()


def test_the_published_example_of_github_verifies() -> None:
    # GitHub's documentation, "Testing the webhook payload validation".
    presented = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert is_signed(b"Hello, World!", presented, b"It's a Secret to Everybody")


def test_a_body_signed_with_the_secret_is_believed() -> None:
    assert is_signed(BODY, signed(BODY), SECRET)


@pytest.mark.parametrize(
    "presented",
    [
        pytest.param("", id="none at all"),
        pytest.param("sha256=", id="an empty one"),
        pytest.param(signed(BODY, b"another"), id="of another secret"),
        pytest.param(signed(BODY + b" "), id="of another body"),
        pytest.param(signed(BODY)[:-1], id="cut short"),
        pytest.param(signed(BODY) + "0", id="too long"),
        pytest.param(signed(BODY).removeprefix("sha256="), id="without its name"),
        pytest.param(signed(BODY).upper(), id="in capitals"),
        pytest.param("sha1=" + hmac.new(SECRET, BODY, sha1).hexdigest(), id="sha1"),
        pytest.param("sha256=é\udcff", id="not ASCII"),
    ],
)
def test_any_other_header_is_not(presented: str) -> None:
    assert not is_signed(BODY, presented, SECRET)


@pytest.mark.parametrize("secret", [None, b""])
def test_nobody_can_sign_where_there_is_no_secret(secret: bytes | None) -> None:
    for guess in (b"", NOBODYS_SECRET, b"None"):
        assert not is_signed(BODY, signed(BODY, guess), secret)
