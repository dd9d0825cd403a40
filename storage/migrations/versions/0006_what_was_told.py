"""what was told.

Revision: 0006, after 0005.

What the state machine must remember of a conversation stood in its summary, under ``desk``; now
each value has a column. ``notices_sent`` counted notices to the customer and calls to agents; the
calls have a count of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEY = "desk"
_conversations = sa.table(
    "conversations",
    sa.column("id", sa.String),
    sa.column("state", sa.String),
    sa.column("summary", sa.JSON),
    sa.column("notices_sent", sa.Integer),
    sa.column("nudges_sent", sa.Integer),
    sa.column("told_position", sa.Integer),
    sa.column("told_wait_min", sa.Integer),
    sa.column("unanswered_since", sa.DateTime),
)
_c = _conversations.c


def upgrade() -> None:
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("nudges_sent", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("told_position", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("told_wait_min", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("unanswered_since", sa.DateTime(), nullable=True))
    held = sa.update(_conversations).where(_c.state == "agent")
    op.execute(held.values(nudges_sent=_c.notices_sent, notices_sent=0))
    for key, summary in _with_summary():
        remembered = summary.pop(_KEY, None)
        if remembered is not None:
            _change(
                key,
                summary=summary or sa.null(),
                told_position=remembered.get("told_position"),
                told_wait_min=remembered.get("told_wait_min"),
                unanswered_since=_moment(remembered.get("unanswered_since")),
            )


def downgrade() -> None:
    held = sa.update(_conversations).where(_c.state == "agent")
    op.execute(held.values(notices_sent=_c.nudges_sent))
    columns = (_c.id, _c.summary, _c.told_position, _c.told_wait_min, _c.unanswered_since)
    for key, summary, position, wait_min, since in _open(*columns):
        values = {
            "told_position": position,
            "told_wait_min": wait_min,
            "unanswered_since": since and since.replace(tzinfo=UTC).isoformat(),
        }
        remembered = {name: value for name, value in values.items() if value is not None}
        if remembered:
            _change(key, summary={**(summary or {}), _KEY: remembered})
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.drop_column("unanswered_since")
        batch_op.drop_column("told_wait_min")
        batch_op.drop_column("told_position")
        batch_op.drop_column("nudges_sent")


def _open(*columns: Any) -> list[Any]:
    """Only of these something is remembered: entering any other state forgets it."""
    held = sa.select(*columns).where(_c.state.in_(["waiting", "agent"]))
    return list(op.get_bind().execute(held))


def _with_summary() -> Iterator[tuple[str, dict[str, Any]]]:
    for key, summary in _open(_c.id, _c.summary):
        if summary is not None:
            yield key, dict(summary)


def _change(key: str, **values: Any) -> None:
    op.execute(sa.update(_conversations).where(_c.id == key).values(**values))


def _moment(text: str | None) -> datetime | None:
    """Times are stored naive, in UTC."""
    if text is None:
        return None
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
