"""What is to be sent, and where each stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    LABEL_STYLE_TABLENAME_PLUS_COL,
    Connection,
    and_,
    bindparam,
    exists,
    func,
    select,
    update,
)
from ulid import ULID

from connectors.delivery.after_error import LONGEST_WAIT_S
from connectors.delivery.outbox import Dispatch
from connectors.messages import Address, ChannelRef, Grant, MessageId, Outbound
from handoff.model.conversation import Conversation, ConversationId
from handoff.model.live_events import LiveEventKind
from handoff.model.transcript import Message
from storage.core.after_commit import AfterCommit
from storage.core.dialect import for_update, insert_or_ignore
from storage.core.keyring import Keyring
from storage.rows.desk.conversations import conversation_of
from storage.rows.desk.live_events import LiveEventRows
from storage.rows.desk.windows import HELD, WindowRows
from storage.rows.messages.customer_view import HINTS, CustomerView
from storage.rows.messages.messages import MessageRows
from storage.rows.messages.secrets import SecretRows
from storage.tables.messaging import conversations, messages, outbox

STALE_AFTER = timedelta(minutes=30)
"""A bot's answer that was held for longer is not sent any more: it answers nothing by then."""
BOT_RESERVE, SYSTEM_RESERVE = 2, 1
"""Of a large window the bot leaves two and a notice leaves one, for a person."""
LEASE_S = 30
"""A row that this process took and did not finish is taken again after so long."""
PAGE = "web"
MAIL = ChannelRef("mail", "smtp")

_INSERT = outbox.insert()
_SENT = (
    update(outbox)
    .where(outbox.c.id == bindparam("key"))
    .values(state="sent", sent_at=bindparam("at"), error=None)
)


class OutboxRows:
    """Implements ``handoff.model.ports.Outbox`` and ``connectors.delivery.outbox.Outbox``."""

    def __init__(
        self,
        connection: Connection,
        keyring: Keyring,
        *,
        secrets: SecretRows,
        live_events: LiveEventRows,
        after_commit: AfterCommit,
        view_of: Callable[[Conversation], CustomerView],
    ) -> None:
        self._connection = connection
        self._windows = WindowRows(connection, keyring)
        self._keyring = keyring
        self._secrets = secrets
        self._live_events = live_events
        self._after_commit = after_commit
        self._view_of = view_of

    def add(self, message: Message, conversation: Conversation) -> None:
        """Queue a message; it is handed to delivery as soon as this unit is committed."""
        key = str(ULID())
        self._connection.execute(
            _INSERT,
            {
                "id": key,
                "message_id": message.id,
                "conversation_id": conversation.id,
                "channel": conversation.address.ref.channel,
                "account_id": conversation.address.ref.account_id,
                "seq": message.seq,
                "epoch": message.epoch,
                "state": "pending",
                "attempts": 1,
                "next_at": message.at + timedelta(seconds=LEASE_S),
                "created_at": message.at,
            },
        )
        self._after_commit.dispatches.append(
            Dispatch(self._outbound(key, message, conversation.address), conversation.id, 1)
        )

    def add_mail(
        self,
        conversation_id: ConversationId,
        *,
        key: str,
        to: str,
        subject: str,
        body: str,
        at: datetime,
    ) -> bool:
        """Queue a mail; ``False`` if one with this idempotency key was queued before."""
        outbox_id = str(ULID())
        sealed = self._keyring.seal(json.dumps({"to": to, "subject": subject, "body": body}))
        is_new = insert_or_ignore(
            self._connection,
            outbox,
            {
                "id": outbox_id,
                "conversation_id": conversation_id,
                "channel": MAIL.channel,
                "account_id": MAIL.account_id,
                "seq": 0,
                "state": "pending",
                "attempts": 1,
                "next_at": at + timedelta(seconds=LEASE_S),
                "created_at": at,
                "mail_key": key,
                "mail": sealed,
            },
        )
        if is_new:
            mail = {"to": to, "subject": subject, "body": body}
            self._after_commit.dispatches.append(
                Dispatch(_mail(outbox_id, mail, at), conversation_id, 1)
            )
        return is_new

    def retry(self, message_id: MessageId) -> bool:
        """Queue a failed message again."""
        row = (
            self._connection.execute(select(outbox).where(outbox.c.message_id == message_id))
            .mappings()
            .one_or_none()
        )
        if row is None or row["state"] not in {"failed", "unknown"}:
            return False
        self._connection.execute(
            update(outbox).where(outbox.c.id == row["id"]),
            {"state": "pending", "attempts": 0, "next_at": row["created_at"], "error": None},
        )
        self._after_commit.is_due = True
        self._live_events.add(
            LiveEventKind.MESSAGE_CHANGED,
            row["conversation_id"],
            row["created_at"],
            message_id=message_id,
        )
        return True

    def claim(self, now: datetime, limit: int) -> Sequence[Dispatch]:
        """Take what is due for ``LEASE_S`` seconds, in order within each conversation.

        A bot's message whose conversation has another owner since is cancelled instead: nothing of
        the bot may be sent after a person took over.

        Args:
            limit: How many conversations: of each all is taken, or what is left of it would be
                overtaken.
        """
        self._pull_in(now)
        self._hold_behind_held(now)
        earlier = outbox.alias("earlier")
        is_due = and_(
            outbox.c.state == "pending",
            outbox.c.next_at <= now,
            # one that waits for its retry holds back those behind it
            ~exists().where(
                earlier.c.conversation_id == outbox.c.conversation_id,
                earlier.c.channel == outbox.c.channel,
                earlier.c.state == "pending",
                earlier.c.next_at > now,
                earlier.c.seq < outbox.c.seq,
            ),
        )
        oldest = (
            select(outbox.c.conversation_id)
            .where(is_due)
            .group_by(outbox.c.conversation_id)
            .order_by(func.min(outbox.c.created_at))
            .limit(limit)
        )
        rows = self._connection.execute(
            select(outbox, conversations)
            .join(conversations, conversations.c.id == outbox.c.conversation_id)
            .where(is_due, outbox.c.conversation_id.in_(oldest))
            .order_by(outbox.c.created_at, outbox.c.seq)
            .set_label_style(LABEL_STYLE_TABLENAME_PLUS_COL)
        ).mappings()
        taken = []
        for mine, theirs in map(_split, rows.all()):
            if mine["epoch"] is not None and mine["epoch"] != theirs["owner_epoch"]:
                self._set(mine["id"], state="cancelled", error="somebody else owns it now")
                self._changed(mine, now)
                continue
            taken.append(self._taken(mine, theirs, now))
        return taken

    def _pull_in(self, now: datetime) -> None:
        # a wait longer than there are was written by a clock that has been set back since
        self._connection.execute(
            update(outbox)
            .where(
                outbox.c.state == "pending",
                outbox.c.next_at > now + timedelta(seconds=LONGEST_WAIT_S),
                outbox.c.next_at < HELD,
            )
            .values(next_at=now)
        )

    def _hold_behind_held(self, now: datetime) -> None:
        # what was to be tried later when the message before it was put aside goes out after that
        earlier = outbox.alias("earlier")
        self._connection.execute(
            update(outbox)
            .where(
                outbox.c.state == "pending",
                outbox.c.next_at <= now,
                exists().where(
                    earlier.c.conversation_id == outbox.c.conversation_id,
                    earlier.c.channel == outbox.c.channel,
                    earlier.c.state == "pending",
                    earlier.c.next_at == HELD,
                    earlier.c.seq < outbox.c.seq,
                ),
            )
            .values(next_at=HELD)
        )

    def release(self, now: datetime) -> None:
        """At start, with no other process: what a dead one had taken is due at once."""
        self._connection.execute(
            update(outbox)
            .where(outbox.c.state == "pending", outbox.c.next_at < HELD)
            .values(next_at=now)
        )

    def sent(self, ids: Sequence[str], at: datetime) -> None:
        """Mark as taken by the platform."""
        self._connection.execute(_SENT, [{"key": key, "at": at} for key in ids])

    def postpone(
        self, ids: Sequence[str], next_at: datetime, error: str, *, is_fault: bool
    ) -> None:
        """Try again later.

        Args:
            is_fault: An attempt failed; else it does not count as one.
        """
        counted = outbox.c.attempts if is_fault else outbox.c.attempts - 1
        for key in ids:
            self._set(key, next_at=next_at, error=error[:200], attempts=counted)

    def progressed(self, outbox_id: str, units: int) -> None:
        """Note that so many units of a message are taken."""
        self._set(outbox_id, progress=units)

    def grant(self, outbox_id: str, unit_id: str, now: datetime) -> Grant | None:
        """Leave to send a unit, the same one at every retry; ``None``: no window is open."""
        row = self._row(outbox_id)
        granted = dict(row["grants"] or {})
        if unit_id in granted:
            return self._windows.grant_again(*granted[unit_id])
        self._lock(row["conversation_id"])
        given = self._windows.take(
            row["conversation_id"], now, reserve=self._reserve(row["message_id"])
        )
        if given is None:
            return None
        self._set(outbox_id, grants={**granted, unit_id: [given[0], given[1].number]})
        self._changed(row, now)  # the console shows what is left
        return given[1]

    def _lock(self, conversation_id: str) -> None:
        """A customer who writes now opens a window and looks for what is held before, or after."""
        this = select(conversations.c.id).where(conversations.c.id == conversation_id)
        self._connection.execute(for_update(self._connection, this))

    def _reserve(self, message_id: str) -> int:
        author = self._connection.execute(
            select(messages.c.author).where(messages.c.id == message_id)
        ).scalar()
        return {"bot": BOT_RESERVE, "system": SYSTEM_RESERVE}.get(str(author), 0)

    def hold(self, ids: Sequence[str], now: datetime, error: str, *, closes_window: bool) -> bool:
        """Keep messages of a conversation until the customer writes again.

        Returns:
            Whether they are kept. ``False``: the customer has written since the first of them
            was refused, so that they may go out now.
        """
        row = self._row(ids[0])
        conversation_id = row["conversation_id"]
        self._lock(conversation_id)
        if closes_window:
            refused = [window for window, _ in (row["grants"] or {}).values()]
            self._windows.close(conversation_id, up_to=max(refused, default=None))
        # leave to send ends with its window: the next one gives its own
        for key in ids:
            self._set(key, grants=None)
        reserve = self._reserve(row["message_id"])
        if self._windows.has_room(conversation_id, now, reserve=reserve):
            return False
        for key in ids:
            self._set(key, next_at=HELD, error=error[:200], attempts=outbox.c.attempts - 1)
        self._changed(row, now)
        return True

    def release_held(self, conversation_id: ConversationId, now: datetime) -> None:
        """The customer wrote: what was held is due, unless it has become stale."""
        rows = self._connection.execute(
            select(outbox, conversations)
            .join(conversations, conversations.c.id == outbox.c.conversation_id)
            .where(
                outbox.c.conversation_id == conversation_id,
                outbox.c.state == "pending",
                outbox.c.next_at == HELD,
                outbox.c.mail.is_(None),
            )
            .order_by(outbox.c.seq)
            .set_label_style(LABEL_STYLE_TABLENAME_PLUS_COL)
        ).mappings()
        for mine, theirs in map(_split, rows.all()):
            is_stale = mine["epoch"] is not None and now - mine["created_at"] > STALE_AFTER
            if is_stale or mine["epoch"] not in {None, theirs["owner_epoch"]}:
                self._set(mine["id"], state="cancelled", error="its answer came too late")
                self._changed(mine, now)
                continue
            # handed over with this very commit: what the bot says to the new message comes after
            self._after_commit.dispatches.append(self._taken(mine, theirs, now))

    def _taken(self, mine: Mapping[str, Any], theirs: Mapping[str, Any], now: datetime) -> Dispatch:
        """Take a row for ``LEASE_S`` seconds."""
        attempts = mine["attempts"] + 1
        self._set(mine["id"], attempts=attempts, next_at=now + timedelta(seconds=LEASE_S))
        outbound = self._rebuild(mine, theirs)
        return Dispatch(outbound, mine["conversation_id"], attempts, mine["progress"])

    def unreachable(self, outbox_id: str, now: datetime, error: str) -> Sequence[str]:
        """Give up on everything that waits for this customer: they left or blocked us.

        Returns:
            The messages that were given up: of a mail, that alone.
        """
        row = self._row(outbox_id)
        if row["mail"] is not None:
            self.fail(outbox_id, now, error)
            return [outbox_id]
        conversation_id = row["conversation_id"]
        waiting = self._connection.execute(
            select(outbox.c.id).where(
                outbox.c.conversation_id == conversation_id,
                outbox.c.channel == row["channel"],
                outbox.c.state == "pending",
            )
        ).scalars()
        given_up = list({outbox_id, *waiting})
        for key in given_up:
            self.fail(key, now, error)
        self._connection.execute(
            update(conversations)
            .where(conversations.c.id == conversation_id)
            .values(unreachable=error[:80])
        )
        return given_up

    def undelivered(self, outbox_id: str, now: datetime, error: str) -> bool:
        """The platform took it back after it had taken it; ``False`` if it is not ours."""
        row = (
            self._connection.execute(select(outbox).where(outbox.c.id == outbox_id))
            .mappings()
            .one_or_none()
        )
        if row is None or row["state"] not in {"sent", "pending"}:
            return False
        self.fail(outbox_id, now, error)
        return True

    def _row(self, outbox_id: str) -> Mapping[Any, Any]:
        return (
            self._connection.execute(select(outbox).where(outbox.c.id == outbox_id))
            .mappings()
            .one()
        )

    def fail(self, outbox_id: str, now: datetime, error: str, *, is_unknown: bool = False) -> None:
        """Give up loudly: the console shows it, with a button to try again."""
        state = "unknown" if is_unknown else "failed"
        self._set(outbox_id, state=state, error=error[:200])
        self._changed(self._row(outbox_id), now)

    def _set(self, key: str, **values: Any) -> None:
        self._connection.execute(update(outbox).where(outbox.c.id == key).values(**values))

    def _changed(self, row: Mapping[Any, Any], now: datetime) -> None:
        self._live_events.add(
            LiveEventKind.MESSAGE_CHANGED, row["conversation_id"], now, message_id=row["message_id"]
        )

    def _outbound(self, key: str, message: Message, address: Address) -> Outbound:
        return Outbound(
            outbox_id=key,
            address=address,
            message_id=message.id,
            seq=message.seq,
            text=self._secrets.fill(message.text, message.secrets),
            author=message.author.value,
            author_name=message.author_name,
            at=message.at,
            kind=message.kind.value,
            buttons=message.buttons,
            attachments=message.attachments,
            codes=self._codes(message),
        )

    def _codes(self, message: Message) -> tuple[str, ...]:
        keys = [ref.id for ref in message.secrets if ref.kind == "card"]
        return tuple(self._secrets.values(keys).values()) if keys else ()

    def _rebuild(self, row: Mapping[str, Any], conversation: Mapping[str, Any]) -> Outbound:
        if row["mail"] is not None:
            return _mail(row["id"], json.loads(self._keyring.open(row["mail"])), row["created_at"])
        message = MessageRows(self._connection, self._keyring).get(row["message_id"])
        assert message is not None, "an outbox row without its message"  # noqa: S101 - a foreign key in spirit
        # time has passed since it was said: the proof that it was said under may have ended
        told = conversation_of(conversation)
        view = self._view_of(told)
        shown = view.of(message)
        whole = self._outbound(row["id"], message, told.address)
        if shown.verify is None:
            return whole
        is_page = told.address.ref.channel == PAGE
        return replace(
            whole,
            text=shown.text if is_page else f"{shown.text}\n{HINTS[view.locale]}",
            codes=shown.codes,
            attachments=shown.attachments,
            verify=shown.verify,
            # the page draws it beside the line; elsewhere it is a button like the others
            buttons=whole.buttons if is_page else (*whole.buttons, shown.verify),
        )


def _split(row: Mapping[Any, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The outbox's columns of a joined row, and the conversation's."""
    mine = {name[7:]: row[name] for name in row if str(name).startswith("outbox_")}
    theirs = {str(name)[14:]: row[name] for name in row if str(name).startswith("conversations_")}
    return mine, theirs


def _mail(key: str, mail: Mapping[str, str], at: datetime) -> Outbound:
    return Outbound(
        outbox_id=key,
        address=Address(MAIL, peer_id=mail["to"], user_id=mail["to"]),
        message_id=MessageId(key),
        seq=0,
        text=mail["body"],
        subject=mail["subject"],
        author="system",
        at=at,
        kind="mail",
    )
