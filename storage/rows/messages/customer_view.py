"""A line of the transcript as its customer may read it at this moment.

A visitor's token lives for months and shared computers are normal: whoever opens the page next week
must not read last week's cards. So secrets are filled in while the proof holds that showed them;
afterwards the mask stands there, with a way to prove it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.messages import Attachment, Button
from handoff.model.conversation import Conversation
from handoff.model.transcript import PLACEHOLDER, Author, Message
from shop.domain.proofs import Level
from storage.rows.messages.secrets import HIDDEN, PROOFS, SecretRows
from storage.rows.shop.proofs import ProofRows

PROOFS_LAST = timedelta(hours=24)
VERIFY = "verify"
"""The button's id; with ``:NUMBER`` where the order is known."""
VERIFY_LABELS = {"zh": "再次验证", "en": "Verify again"}
HINTS = {
    "zh": "（验证已过期，卡密等内容已隐藏。点“再次验证”或发送这四个字，验证后可再看）",
    "en": "(Your verification has expired, so codes are hidden. Press or type “Verify again”.)",
}
PICTURES = {"zh": "[图片已隐藏]", "en": "[picture hidden]"}


@dataclass(frozen=True, slots=True)
class ShownLine:
    """The part of a line that is shown.

    Attributes:
        codes: Card keys that stand in the text.
        verify: How to see the rest; ``None`` where nothing that can be seen is hidden.
    """

    text: str
    codes: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    verify: Button | None = None


@dataclass(frozen=True, slots=True)
class CustomerView:
    """Proofs of one customer, and what they open now.

    Attributes:
        proved: Orders whose owner they have shown to be, lately.
        since: Lines from then on are as fresh as a proof.
    """

    secrets: SecretRows
    proved: frozenset[str]
    since: datetime
    locale: str

    @classmethod
    def at(
        cls,
        now: datetime,
        conversation: Conversation,
        secrets: SecretRows,
        proofs: ProofRows,
        lasts: timedelta,
    ) -> CustomerView:
        """The view of a conversation's customer at this moment."""
        since = now - lasts
        proved = frozenset(
            str(one.number)
            for one in proofs.of_identity(conversation.address.identity)
            if one.level >= Level.OWNER and one.proved_at > since
        )
        locale = "en" if conversation.locale == "en" else "zh"
        return cls(secrets, proved, since, locale)

    def of(self, message: Message) -> ShownLine:
        """A line as it is shown now."""
        if not message.secrets and not message.attachments:
            return ShownLine(message.text)
        ids = [ref.id for ref in message.secrets]
        orders = self.secrets.orders(ids) if ids else {}
        typed = {ref.id for ref in message.secrets if _is_typed_proof(message, ref.kind)}
        seen = [
            ref
            for ref in message.secrets
            if ref.id not in typed and self._shows(message, orders.get(ref.id))
        ]
        values = self.secrets.values([ref.id for ref in seen]) if seen else {}
        masks = {ref.id: HIDDEN if ref.id in typed else ref.mask for ref in message.secrets}
        text = PLACEHOLDER.sub(
            lambda found: values.get(found[1]) or masks.get(found[1], found[0]), message.text
        )
        files = message.attachments
        is_ours = message.author is Author.BOT  # from kb.yaml
        hides_files = bool(files) and not is_ours and not self._is_fresh(message)
        if hides_files:
            text, files = f"{text}\n{PICTURES[self.locale]}".strip(), ()
        hidden = [ref for ref in message.secrets if ref not in seen and ref.id not in typed]
        codes = tuple(values[ref.id] for ref in seen if ref.kind == "card" and ref.id in values)
        verify = self._verify(next((orders[ref.id] for ref in hidden if ref.id in orders), None))
        return ShownLine(text, codes, files, verify if hidden or hides_files else None)

    def _shows(self, message: Message, order: str | None) -> bool:
        return order in self.proved if order is not None else self._is_fresh(message)

    def _is_fresh(self, message: Message) -> bool:
        return bool(self.proved) or message.at > self.since

    def _verify(self, order: str | None) -> Button:
        key = VERIFY if order is None else f"{VERIFY}:{order}"
        return Button(key, VERIFY_LABELS[self.locale])


def _is_typed_proof(message: Message, kind: str) -> bool:
    """Whether the customer typed it to prove something: nobody who opens the page reads that."""
    return message.author is Author.CUSTOMER and kind in PROOFS
