"""The methods of the Bot API that a bot for customer service uses.

Source: Telegram Bot API documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from devkit.platform import Shown
from devkit.telegram import markup, payloads, rules
from devkit.telegram.formatting import parsed
from devkit.telegram.parameters import Parameters, Upload
from devkit.telegram.rules import Refusal, bad
from devkit.telegram.state import (
    BOT,
    Chat,
    Json,
    Sent,
    State,
)

_KINDS = {"photo": "image", "document": "file", "voice": "voice", "video": "video"}


class BotApi:
    """Does what a bot asks.

    Attributes:
        forbids_voice: The customers' privacy settings refuse voice messages.
        has_privacy: In groups the bot hears nothing but commands to it and replies to it: a plain
            ``@name`` is not among them. On for every new bot; off here, so that tests can see what
            a bot does with what it does hear.
        flood: Takes a chat's id before each message; raises 429 where it likes.
    """

    def __init__(self, state: State, clock: Callable[[], datetime]) -> None:
        self._state = state
        self._clock = clock
        self.forbids_voice = False
        self.has_privacy = False
        self.flood: Callable[[int], None] = lambda _chat_id: None

    def methods(self) -> dict[str, Callable[[Parameters], Any]]:
        """All of them, by name."""
        simple = ["setMyCommands", "deleteMyCommands", "setChatMenuButton", "setMyDescription"]
        return {
            "getMe": lambda _asked: self.me(),
            "getChat": lambda asked: payloads.chat(self._chat(asked)),
            "sendMessage": self.send_message,
            "editMessageText": self.edit_message_text,
            "editMessageReplyMarkup": self.edit_reply_markup,
            "answerCallbackQuery": self.answer_callback_query,
            "sendChatAction": self.send_chat_action,
            "getFile": self.get_file,
            **{
                f"send{field.capitalize()}": self._sender(field)
                for field in ("photo", "document", "voice", "video")
            },
            **{name: lambda _asked: True for name in simple},
        }

    def me(self) -> Json:
        """Who we are."""
        return {
            **BOT,
            "can_join_groups": True,
            "can_read_all_group_messages": not self.has_privacy,
            "supports_inline_queries": False,
        }

    # ------------------------------------------------------------------ sending

    def send_message(self, asked: Parameters) -> Json:
        """Say something."""
        chat = self._addressed(asked)
        text, entities = self._text(asked, "text", "parse_mode", "entities")
        if not text:
            raise bad("message text is empty")
        if rules.utf16(text) > rules.MAX_TEXT:
            raise bad("message is too long")
        content = {"text": text} | ({"entities": entities} if entities else {})
        return self._send(chat, asked, content, Shown(text))

    def _sender(self, field: str) -> Callable[[Parameters], Json]:
        def send(asked: Parameters) -> Json:
            return self._send_file(field, asked)

        return send

    def _send_file(self, field: str, asked: Parameters) -> Json:
        chat = self._addressed(asked)
        upload = asked.file(field)
        if upload is None:
            raise bad(f"there is no {field} in the request")
        caption, entities = self._text(asked, "caption", "parse_mode", "caption_entities")
        if rules.utf16(caption) > rules.MAX_CAPTION:
            raise bad("message caption is too long")
        if field == "voice" and self.forbids_voice:
            raise bad("VOICE_MESSAGES_FORBIDDEN")
        kind = _KINDS[field]
        if isinstance(upload, Upload):
            _check_upload(field, upload)
            stored = self._state.store(upload.content)
            name, mime = upload.name, upload.mime
        else:
            found = self._state.files.get(upload)
            if found is None:
                raise bad("wrong file identifier/HTTP URL specified")
            stored, name, mime = found, "", ""
        content = payloads.media(kind, stored, name=name, mime=mime)
        if caption:
            content |= {"caption": caption, **({"caption_entities": entities} if entities else {})}
        return self._send(chat, asked, content, Shown(caption, kind, content=stored.content))

    def _send(self, chat: Chat, asked: Parameters, content: Json, shown: Shown) -> Json:
        keyboard = markup.checked(asked.data("reply_markup"))
        self._check_reply(asked)
        self.flood(chat.id)
        message_id = self._state.message_id()
        message = payloads.message(chat, BOT, message_id, self._clock(), **content)
        if keyboard is not None and "inline_keyboard" in keyboard:
            message["reply_markup"] = keyboard
        if reply := asked.data("reply_parameters"):
            message["reply_to_message"] = {"message_id": reply["message_id"]}
        chat.sent[message_id] = Sent(message, _shown(shown, message))
        return message

    def _check_reply(self, asked: Parameters) -> None:
        reply = asked.data("reply_parameters")
        if not reply or reply.get("allow_sending_without_reply"):
            return
        if not 0 < int(reply["message_id"]) <= self._state.last_message_id:
            raise bad("message to be replied not found")

    def _text(self, asked: Parameters, name: str, mode: str, given: str) -> tuple[str, list[Json]]:
        entities = asked.data(given)
        if entities:
            return asked.text(name), list(entities)[: rules.MAX_ENTITIES]
        text, found = parsed(asked.text(name), asked.text(mode))
        return text, found[: rules.MAX_ENTITIES]

    # ------------------------------------------------------------------ changing and answering

    def edit_message_text(self, asked: Parameters) -> Json:
        """Say it differently."""
        sent = self._sent(asked)
        text, entities = self._text(asked, "text", "parse_mode", "entities")
        if not text:
            raise bad("message text is empty")
        if rules.utf16(text) > rules.MAX_TEXT:
            raise bad("message is too long")
        content = {"text": text} | ({"entities": entities} if entities else {})
        return self._edit(sent, content, markup.checked(asked.data("reply_markup")), Shown(text))

    def edit_reply_markup(self, asked: Parameters) -> Json:
        """Offer something else under the same message."""
        sent = self._sent(asked)
        kept: Json = {key: sent.message[key] for key in ("text", "entities") if key in sent.message}
        return self._edit(sent, kept, markup.checked(asked.data("reply_markup")), sent.shown)

    def _edit(self, sent: Sent, content: Json, keyboard: Json | None, shown: Shown) -> Json:
        editable = ("text", "entities", "reply_markup")
        before = {key: sent.message[key] for key in editable if key in sent.message}
        after = content | ({"reply_markup": keyboard} if keyboard else {})
        if before == after:
            raise bad(rules.NOT_MODIFIED)
        kept = {key: value for key, value in sent.message.items() if key not in editable}
        sent.message = {**kept, **after, "edit_date": int(self._clock().timestamp())}
        sent.shown = _shown(shown, sent.message)
        return sent.message

    def _sent(self, asked: Parameters) -> Sent:
        sent = self._addressed(asked).sent.get(asked.integer("message_id"))
        if sent is None:
            raise bad("message to edit not found")
        return sent

    def answer_callback_query(self, asked: Parameters) -> bool:
        """Tell the customer's app that the press has arrived."""
        query = self._state.queries.get(asked.text("callback_query_id"))
        now = self._clock()
        if query is None or query.answers or now - query.at > rules.CALLBACK_ANSWER_LIFE:
            raise bad(rules.QUERY_TOO_OLD)
        if len(asked.text("text")) > rules.MAX_CALLBACK_ANSWER:
            raise bad("MESSAGE_TOO_LONG")
        query.answers.append(asked.text("text"))
        return True

    def send_chat_action(self, asked: Parameters) -> bool:
        """Show that somebody writes, for five seconds."""
        chat = self._addressed(asked)
        action = asked.text("action")
        if action not in rules.ACTIONS:
            raise bad("wrong parameter action in request")
        self._state.typing.append((chat.id, action, self._clock()))
        return True

    # ------------------------------------------------------------------ files

    def get_file(self, asked: Parameters) -> Json:
        """Where a file can be loaded from, for an hour."""
        file_id = asked.text("file_id").removesuffix("_s")
        stored = self._state.files.get(file_id)
        if stored is None:
            raise bad("invalid file_id")
        if stored.size > rules.MAX_DOWNLOAD_BYTES:
            raise bad("file is too big")
        path = f"documents/file_{self._state.number()}.bin"
        stored.links[path] = self._clock()
        return payloads.file(stored, file_path=path)

    def content(self, path: str) -> bytes:
        """What a file's address gives.

        Raises:
            Refusal: 404, also when the address is too old.
        """
        for stored in self._state.files.values():
            at = stored.links.get(path)
            if at is not None and self._clock() - at <= rules.FILE_LINK_LIFE:
                return stored.content
        raise Refusal(404)

    # ------------------------------------------------------------------ who

    def _chat(self, asked: Parameters) -> Chat:
        if not asked.text("chat_id"):
            raise bad("chat_id is empty")
        chat = self._state.chats.get(asked.integer("chat_id"))
        if chat is None:
            raise bad("chat not found")
        return chat

    def _addressed(self, asked: Parameters) -> Chat:
        chat = self._chat(asked)
        if chat.migrated_to is not None:
            raise bad(
                "group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to
            )
        if chat.id in self._state.deactivated:
            raise Refusal(403, rules.DEACTIVATED)
        if chat.is_left:
            raise Refusal(403, rules.KICKED if chat.is_group else rules.BLOCKED)
        if not chat.is_group and not chat.is_started:
            raise Refusal(403, rules.NEVER_STARTED)
        return chat


def _shown(shown: Shown, message: Json) -> Shown:
    buttons = markup.labels(message.get("reply_markup"))
    return Shown(shown.text, shown.kind, buttons, shown.content, message)


def _check_upload(field: str, upload: Upload) -> None:
    if not upload.content:
        raise bad("file must be non-empty")
    most = rules.MAX_PHOTO_BYTES if field == "photo" else rules.MAX_UPLOAD_BYTES
    if len(upload.content) > most:
        raise Refusal(413) if field != "photo" else bad("file is too big")
    if field == "photo" and not upload.content.startswith(rules.PICTURES):
        raise bad("IMAGE_PROCESS_FAILED")
