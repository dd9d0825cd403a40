"""The shop's page as a channel: the web chat on our own database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.app.http.network import Network
from bot.app.persistence.files import Files
from bot.app.settings import Settings
from bot.inbox.media_room import LOOSE_FOR, MediaRoom
from bot.wording.customer.remarks import BUTTONS, GREETING, said
from connectors.errors import NotStored
from connectors.messages import Address, Attachment, ChannelRef, MediaState, Sink
from connectors.web.chat import Greeting, WebChat
from connectors.web.connector import WebConnector
from connectors.web.hub import Hub
from connectors.web.tokens import TokenSigner
from handoff.errors import StorageUnavailable
from handoff.model.conversation import AgentId
from knowledge_base.recognition.loader import KnowledgeBase
from storage.chatlog import StoredChatLog
from storage.core.keyring import Keyring
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork

SITE = ChannelRef("web", "default")
Clock = Callable[[], datetime]


def web_chat(
    storage: Storage,
    sink: Sink,
    files: Files,
    settings: Settings,
    *,
    keyring: Keyring,
    network: Network,
    clock: Clock,
    greeting: Callable[[str], Greeting],
    on_typing: Callable[[Address], Awaitable[None]],
) -> WebChat:
    """Build the web chat."""
    hub = Hub()
    chat_log = StoredChatLog(storage, _agent_name)
    uploads = Uploads(storage, files.room, clock)
    return WebChat(
        connector=WebConnector(SITE, hub, chat_log, clock),
        hub=hub,
        chat_log=chat_log,
        sink=sink,
        signer=TokenSigner(keyring.token_key("web visitor")),
        media=files.store,
        clock=clock,
        greeting=greeting,
        attachment_of=uploads.find,
        make_room=uploads.make_room,
        add_attachment=uploads.add,
        on_typing=on_typing,
        origins=settings.widget_origins,
        sources_of=lambda request: network.source(request).keys,
    )


def _agent_name(work: UnitOfWork, agent_id: str) -> str | None:
    agent = work.agents.get(AgentId(agent_id))
    return agent.name if agent is not None else None


@dataclass(frozen=True, slots=True)
class Uploads:
    """Files that visitors upload before a message carries them."""

    storage: Storage
    room: MediaRoom
    clock: Clock

    async def find(self, attachment_id: str, owner: str) -> Attachment | None:
        """Return a file that is here, if this identity uploaded it."""
        found = await self.storage.read(lambda work: work.attachments.get(attachment_id))
        if found is None or found[1] != owner or found[0].state is not MediaState.READY:
            return None
        return found[0]

    async def make_room(self, owner: str, sources: Sequence[str], size: int) -> None:
        """Let so many bytes in.

        Raises:
            BadFile: There is no room for them.
            NotStored: It cannot be told now.
        """
        try:
            await self.room.check(owner, sources[0] if sources else None, size)
        except StorageUnavailable as error:
            raise NotStored(str(error)) from error

    async def add(self, attachment: Attachment, owner: str, sources: Sequence[str]) -> None:
        """Store what is known of an uploaded file.

        Raises:
            NotStored: It cannot be stored now.
        """
        now = self.clock()

        def unit(work: UnitOfWork) -> None:
            work.attachments.add(
                attachment,
                owner=owner,
                at=now,
                source=sources[0] if sources else None,
                loose_until=now + LOOSE_FOR,
            )

        try:
            await self.storage.write(unit)
        except StorageUnavailable as error:
            raise NotStored(str(error)) from error


def public_link(chat: WebChat, public_url: str | None, attachment: Attachment) -> str | None:
    """Return where the world may fetch a file for a while; ``None`` without a public address."""
    return None if public_url is None else f"{public_url.rstrip('/')}{chat.media_url(attachment)}"


def greeting(kb: KnowledgeBase, locale: str, *, is_anybody_online: bool) -> Greeting:
    """Return what a page shows before the first word."""
    is_english = locale == "en"
    handoff = BUTTONS["handoff"][is_english]
    buttons = [
        ("handoff", handoff) if name == "human_agent" else (f"intent:{name}", intent.title)
        for name in kb.shop.welcome_buttons
        if (intent := kb.intents.get(name)) is not None
    ]
    hello = said(GREETING, is_english=is_english)
    if not is_english:
        hello = kb.shop.welcome or hello
    privacy = kb.shop.privacy
    notice = privacy.said(is_english=is_english) if privacy is not None else ""
    return Greeting(
        shop_name=kb.shop.name,
        hours_text=kb.shop.hours.text,
        # what the page promises must be so now: opening hours alone answer nobody
        is_open=is_anybody_online,
        text="\n\n".join(filter(None, (hello, notice))),
        buttons=buttons,
    )
