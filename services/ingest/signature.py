"""Whether a webhook was signed with a repository's secret."""

import hmac
from hashlib import sha256

HEADER = "x-hub-signature-256"
PREFIX = "sha256="
NOBODYS_SECRET = b"compared against when there is no such repository, so that it takes as long"


def is_signed(body: bytes, presented: str, secret: bytes | None) -> bool:
    """Tell whether `presented` is the header that belongs to `body`.

    A repository that does not exist (`secret` None) costs the same work and is never signed for.
    """
    digest = hmac.new(NOBODYS_SECRET if secret is None else secret, body, sha256).hexdigest()
    same = hmac.compare_digest(f"{PREFIX}{digest}".encode(), presented.encode("utf-8", "replace"))
    return same and bool(secret)
