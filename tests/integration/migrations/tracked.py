"""Pipelines as they were when each tracked one branch, and the marks that say the same."""

import sqlalchemy as sa

TRACKED = sa.text(
    "INSERT INTO pipelines (pipeline, repository, tracks, newest_revision, newest_commit) VALUES "
    f"('shop', 'acme/shop', 'main', 7, '{'a' * 40}'), "
    f"('docs', 'acme/shop', 'release/1.x', 1, '{'b' * 40}')"
)
MARKS = sa.text('SELECT pipeline, ref, "commit", revision, untouched FROM marks')
MARKED = {
    ("shop", "refs/heads/main", "a" * 40, 7, False),
    ("docs", "refs/heads/release/1.x", "b" * 40, 1, False),
}
