"""The statements behind claims, fixed: on the way of every push, building one costs more than running it.

Each takes its values by name; a list of ids is expanded when it is run.

Rows are locked after what a service locks by name (`shared.db.hold`), never before. A statement for many
rows passes over those that somebody has locked: it is run again soon, and so never waits for whoever
cancels several.
"""

import sqlalchemy as sa

from shared.db import INSTANT
from shared.db.tables import work

CANDIDATES_MAX = 200  # open orders looked at for one claim

_ITS_ID = work.c.id == sa.bindparam("its_id")
_HELD = work.c.id.in_(sa.bindparam("held", expanding=True))
_MINE = sa.and_(_ITS_ID, work.c.fence == sa.bindparam("its_fence"), work.c.state == "claimed")
_NOW = sa.bindparam("now", type_=INSTANT)
_CLAIMABLE = sa.or_(
    work.c.state == "ready",
    sa.and_(work.c.state == "claimed", work.c.lease_until < _NOW),
)
_FREE = {"worker": None, "lease_until": None}
OPEN = sa.text("state <> 'done'")  # the condition of the index, as it stands there: only so is it used


_FULL = work.c.share.in_(sa.bindparam("full", expanding=True))  # shares that may have no more in hand
_FREE_NOW = sa.and_(
    work.c.service == sa.bindparam("its_service"),
    work.c.kind.in_(sa.bindparam("kinds", expanding=True)),
    sa.not_(_HELD),
    work.c.not_before <= _NOW,
    OPEN,
    _CLAIMABLE,
)


def _oldest_of_each_share() -> sa.Select[tuple[object, ...]]:
    """Return the oldest of every share, then the second oldest: a crowd of one cannot hide the others."""
    among_its_share = sa.func.row_number().over(
        partition_by=work.c.share, order_by=(work.c.created_at, work.c.id)
    )
    columns = [work.c[name] for name in ("id", "kind", "share", "fence", "correlation", "traceparent")]
    free = sa.select(*columns, work.c.created_at, among_its_share.label("rank"))
    ranked = free.where(_FREE_NOW, sa.not_(_FULL)).subquery()
    wanted = [ranked.c[column.name] for column in columns]
    return sa.select(*wanted).order_by(ranked.c.rank, ranked.c.created_at, ranked.c.id).limit(CANDIDATES_MAX)


OLDEST_OF_EACH_SHARE = _oldest_of_each_share()
ANY_OF_FULL_SHARES = sa.select(sa.literal(1)).where(_FREE_NOW, _FULL).limit(1)

CLAIM = (
    sa.update(work)
    .where(_ITS_ID, work.c.fence == sa.bindparam("its_fence"), _CLAIMABLE)
    .values(
        state="claimed",
        fence=work.c.fence + 1,
        worker=sa.bindparam("name"),
        lease_until=sa.bindparam("until"),
    )
)
CLAIMED = sa.select(work).where(_ITS_ID)

FENCE = sa.select(work.c.fence).where(_ITS_ID).with_for_update()
FINISH = sa.update(work).where(_MINE).values(state="done", finished_at=sa.bindparam("now"), **_FREE)
PUT_BACK = (
    sa.update(work)
    .where(_MINE)
    .values(
        state="ready",
        attempts=sa.bindparam("attempts_by_now"),
        not_before=sa.case(
            (
                sa.and_(sa.bindparam("untold", type_=sa.Boolean), work.c.cancel_reason.is_not(None)),
                _NOW,
            ),
            else_=sa.bindparam("later", type_=INSTANT),
        ),
        **_FREE,
    )
)
_MINE_BY_NAME = sa.and_(work.c.worker == sa.bindparam("name"), work.c.state == "claimed")
MINE = sa.select(work.c.id).where(work.c.service == sa.bindparam("its_service"), OPEN, _MINE_BY_NAME)
FREE = sa.update(work).where(_ITS_ID, _MINE_BY_NAME).values(state="ready", **_FREE)

OF_HELD = sa.select(work.c.id, work.c.fence, work.c.cancel_reason).where(_HELD)
_RENEWABLE = sa.select(work.c.id).where(_HELD, work.c.worker == sa.bindparam("name"))
RENEW = (
    sa.update(work)
    .where(work.c.id.in_(_RENEWABLE.with_for_update(skip_locked=True)))
    .values(lease_until=sa.bindparam("until"))
)

_LONG_DONE = sa.select(work.c.id).where(
    work.c.service == sa.bindparam("its_service"),
    work.c.state == "done",
    work.c.finished_at < sa.bindparam("oldest", type_=INSTANT),
)
FORGET_DONE = sa.delete(work).where(work.c.id.in_(_LONG_DONE.with_for_update(skip_locked=True)))
