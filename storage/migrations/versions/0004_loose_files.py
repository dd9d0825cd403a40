"""loose files.

Revision: 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # files that are here already have no term: they may hang on a message
    with op.batch_alter_table("attachments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sent_from", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("loose_until", sa.DateTime(), nullable=True))
        batch_op.create_index("ix_attachments_sent_from", ["sent_from", "created_at"], unique=False)
        batch_op.create_index("ix_attachments_size", ["state", "size"], unique=False)
        batch_op.create_index(
            "ix_attachments_loose",
            ["loose_until"],
            unique=False,
            sqlite_where=sa.text("loose_until IS NOT NULL"),
            postgresql_where=sa.text("loose_until IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("attachments", schema=None) as batch_op:
        batch_op.drop_index("ix_attachments_loose")
        batch_op.drop_index("ix_attachments_size")
        batch_op.drop_index("ix_attachments_sent_from")
        batch_op.drop_column("loose_until")
        batch_op.drop_column("sent_from")
