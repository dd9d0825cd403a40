"""The web chat of one shop: everything that its routes and open pages need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from connectors.media.store import MediaStore
from connectors.messages import Address, Attachment, Sink
from connectors.web.admission import Admission
from connectors.web.connector import WebConnector
from connectors.web.hub import ChatLog, Hub
from connectors.web.tokens import TokenSigner


@dataclass(frozen=True, slots=True)
class Greeting:
    """Greeting of a page, shown before anybody has written.

    Attributes:
        is_open: Somebody is there to answer now.
    """

    shop_name: str
    hours_text: str
    is_open: bool
    text: str
    buttons: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class WebChat:
    """Everything that the web chat's routes need.

    Attributes:
        greeting: By locale (``zh`` or ``en``): read at each visit, for kb.yaml may change.
        attachment_of: The stored attachment, if this identity uploaded it.
        make_room: Raises ``BadFile`` where there is none for so many bytes of this identity and
            source.
        add_attachment: Stores what is known of an uploaded file.
        on_typing: Told when a customer types.
        origins: Origins of pages that may embed the chat; empty for any.
        sources_of: Throttle keys of a request's source: the exact one, then the wider network's;
            none for the demo's owner.
    """

    connector: WebConnector
    hub: Hub
    chat_log: ChatLog
    sink: Sink
    signer: TokenSigner
    media: MediaStore
    clock: Callable[[], datetime]
    greeting: Callable[[str], Greeting]
    attachment_of: Callable[[str, str], Awaitable[Attachment | None]]
    make_room: Callable[[str, Sequence[str], int], Awaitable[None]]
    add_attachment: Callable[[Attachment, str, Sequence[str]], Awaitable[None]]
    on_typing: Callable[[Address], Awaitable[None]]
    origins: Sequence[str]
    sources_of: Callable[[web.Request], tuple[str, ...]]
    admission: Admission = field(default_factory=Admission)

    def address_of(self, visitor_id: str) -> Address:
        """Return the address of a visitor's conversation."""
        return Address(self.connector.ref, peer_id=visitor_id, user_id=visitor_id)

    def media_url(self, attachment: Attachment) -> str:
        """A signed path to a file, good for a while."""
        signature = self.signer.media_signature(attachment.id, self.clock())
        return f"/widget/media/{attachment.id}?sig={signature}"
