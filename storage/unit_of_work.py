"""One transaction's repositories, each made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import Connection

from handoff.model.conversation import Conversation
from storage.core.after_commit import AfterCommit
from storage.core.dialect import upsert
from storage.core.keyring import Keyring
from storage.rows.desk.agents import AgentRows
from storage.rows.desk.channels import ChannelRows
from storage.rows.desk.conversations import ConversationRows, SegmentRows
from storage.rows.desk.customers import CustomerRows
from storage.rows.desk.live_events import LiveEventRows
from storage.rows.desk.reveals import RevealRows
from storage.rows.desk.sessions import SessionRows
from storage.rows.desk.windows import WindowRows
from storage.rows.messages.attachments import AttachmentRows
from storage.rows.messages.customer_view import PROOFS_LAST, CustomerView
from storage.rows.messages.inbox import InboxRows
from storage.rows.messages.messages import MessageRows
from storage.rows.messages.outbox import OutboxRows
from storage.rows.messages.retention import RetentionRows
from storage.rows.messages.secrets import SecretRows
from storage.rows.messages.turns import TurnRows
from storage.rows.shop.attempts import AttemptRows
from storage.rows.shop.cards import CardRows
from storage.rows.shop.deliveries import DeliveryRows
from storage.rows.shop.orders import OrderRows
from storage.rows.shop.products import ProductRows
from storage.rows.shop.proofs import ProofRows
from storage.tables.messaging import heartbeat


class UnitOfWork:
    """The repositories of one transaction. A unit gets it, and keeps nothing of it afterwards."""

    def __init__(
        self,
        connection: Connection,
        keyring: Keyring,
        clock: Callable[[], datetime],
        proofs_last: timedelta = PROOFS_LAST,
    ) -> None:
        self._connection = connection
        self._keyring = keyring
        self.clock = clock
        self._proofs_last = proofs_last
        self.after_commit = AfterCommit()

    def flush(self) -> None:
        """Write what repositories have gathered; called once, before the commit."""
        self.live_events.flush()

    def probe(self) -> None:
        """Write one row: a database that only reads (a full disk) is not ready."""
        upsert(self._connection, heartbeat, {"id": 1, "at": self.clock()}, keys=["id"])

    @cached_property
    def customers(self) -> CustomerRows:
        """Customers and their channel identities."""
        return CustomerRows(self._connection, self._keyring)

    @property
    def people(self) -> CustomerRows:
        """Customers, for whoever may make new ones."""
        return self.customers

    @cached_property
    def conversations(self) -> ConversationRows:
        """Conversations."""
        return ConversationRows(self._connection, self._keyring)

    @cached_property
    def segments(self) -> SegmentRows:
        """Stretches of conversations."""
        return SegmentRows(self._connection, self._keyring)

    @cached_property
    def messages(self) -> MessageRows:
        """Transcripts."""
        return MessageRows(self._connection, self._keyring)

    @cached_property
    def inbox(self) -> InboxRows:
        """Messages that came in."""
        return InboxRows(self._connection, self._keyring)

    @cached_property
    def turns(self) -> TurnRows:
        """Decisions, one of each turn."""
        return TurnRows(self._connection, self._keyring)

    @cached_property
    def outbox(self) -> OutboxRows:
        """Messages that are to be sent."""
        return OutboxRows(
            self._connection,
            self._keyring,
            secrets=self.secrets,
            live_events=self.live_events,
            after_commit=self.after_commit,
            view_of=self.view_of,
        )

    def view_of(self, conversation: Conversation) -> CustomerView:
        """The view that a conversation's customer has at this moment."""
        return CustomerView.at(
            self.clock(), conversation, self.secrets, self.proofs, self._proofs_last
        )

    @property
    def held(self) -> OutboxRows:
        """The outbox, for what waits there."""
        return self.outbox

    @property
    def mails(self) -> OutboxRows:
        """The outbox, for mails."""
        return self.outbox

    @cached_property
    def live_events(self) -> LiveEventRows:
        """Changes, as the console follows them."""
        return LiveEventRows(self._connection, self.after_commit)

    @cached_property
    def secrets(self) -> SecretRows:
        """Sealed values of message texts."""
        return SecretRows(self._connection, self._keyring)

    @cached_property
    def attachments(self) -> AttachmentRows:
        """Files that were sent."""
        return AttachmentRows(self._connection, self._keyring, after_commit=self.after_commit)

    @cached_property
    def channels(self) -> ChannelRows:
        """Checkpoints, leases and payloads of connectors."""
        return ChannelRows(self._connection, self._keyring)

    @cached_property
    def windows(self) -> WindowRows:
        """Leave that platforms give to speak."""
        return WindowRows(self._connection, self._keyring)

    @cached_property
    def agents(self) -> AgentRows:
        """People who answer."""
        return AgentRows(self._connection, self._keyring)

    @cached_property
    def sessions(self) -> SessionRows:
        """Log-ins of agents."""
        return SessionRows(self._connection, self._keyring)

    @cached_property
    def reveals(self) -> RevealRows:
        """Looks of agents at secrets."""
        return RevealRows(self._connection, self._keyring)

    @cached_property
    def retention(self) -> RetentionRows:
        """Records that are old enough to go."""
        return RetentionRows(self._connection, self._keyring)

    @cached_property
    def products(self) -> ProductRows:
        """Products."""
        return ProductRows(self._connection, self._keyring)

    @cached_property
    def orders(self) -> OrderRows:
        """Orders."""
        return OrderRows(self._connection, self._keyring)

    @cached_property
    def cards(self) -> CardRows:
        """Cards."""
        return CardRows(self._connection, self._keyring)

    @cached_property
    def attempts(self) -> AttemptRows:
        """Look-ups, and tries to prove an order."""
        return AttemptRows(self._connection, self._keyring)

    @cached_property
    def proofs(self) -> ProofRows:
        """Proofs of orders."""
        return ProofRows(self._connection, self._keyring)

    @cached_property
    def deliveries(self) -> DeliveryRows:
        """Cards that were sent again and shown."""
        return DeliveryRows(self._connection, self._keyring)
