"""Fetching what customers sent over OneBot: by address, else by asking for it in every known way.

A segment may name an address that ends soon, none at all, or a path on the implementation's own
disk, which says nothing here. Then its name is what it can be asked for by.

Source: OneBot 11 standard (``get_image``, ``get_record``); NapCatQQ and LLOneBot (``get_file``,
``get_private_file_url``, ``get_group_file_url``; ``base64`` in the answers).
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from connectors.errors import MediaBusy, MediaError, MediaGone, SendError
from connectors.messages import MediaHandle
from connectors.onebot.link import Link

_INLINE = "base64://"
_PLACES = ("url", "file", "path")
Download = Callable[[str, int], Awaitable[bytes]]


class Files:
    """Of one account.

    Args:
        link: The connection for actions; ``None`` while there is none.
        download: Fetches an http address, guarded; raises ``MediaError``.
    """

    def __init__(self, link: Callable[[], Link | None], download: Download) -> None:
        self._link = link
        self._download = download

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:
        """A file's content; voices are asked for as MP3, which browsers play.

        Raises:
            MediaError: It is gone, too large, or not to be had now.
        """
        errors: list[MediaError] = []
        known = {name: str(value) for name, value in media.handle.items()}
        if known.get("type") == "record":
            found = await self._asked("get_record", known, errors, max_bytes, out_format="mp3")
            if found is not None:
                return found
        found = await self._held(known, errors, max_bytes)
        if found is not None:
            return found
        for action in _actions(known):
            found = await self._asked(action, known, errors, max_bytes)
            if found is not None:
                return found
        raise _worst(errors)

    async def _asked(
        self,
        action: str,
        known: Mapping[str, str],
        errors: list[MediaError],
        max_bytes: int,
        **more: str,
    ) -> bytes | None:
        """What an action gives; ``None`` where it gives nothing."""
        params = _params(action, known)
        link = self._link()
        if params is None:
            return None
        if link is None:
            errors.append(MediaBusy("offline"))
            return None
        try:
            answer = await link.ask(action, **params, **more)
        except SendError as error:
            errors.append(MediaBusy(error.code))
            return None
        data = answer.get("data") if answer is not None else None
        return await self._held(data, errors, max_bytes) if isinstance(data, Mapping) else None

    async def _held(
        self, data: Mapping[str, Any], errors: list[MediaError], max_bytes: int
    ) -> bytes | None:
        """The content that an answer holds, or leads to."""
        for encoded in _inline(data):
            if len(encoded) > max_bytes * 4 // 3 + 4:
                errors.append(MediaGone("too_large"))
                continue
            try:
                return base64.b64decode(encoded, validate=True)
            except ValueError:
                continue
        for url in _addresses(data):
            try:
                return await self._download(url, max_bytes)
            except MediaError as error:
                errors.append(error)
        return None


def _actions(known: Mapping[str, str]) -> Iterator[str]:
    """What to ask, the most fitting first."""
    match known.get("type"):
        case "image":
            yield "get_image"
        case "file":
            yield "get_group_file_url" if known.get("group_id") else "get_private_file_url"
    yield "get_file"


def _params(action: str, known: Mapping[str, str]) -> dict[str, Any] | None:
    """What to ask with; ``None`` where the file has no name."""
    name = known.get("file_id") or known.get("fid") or known.get("file") or known.get("path")
    if not name or name.startswith((_INLINE, "http://", "https://")):
        return None
    if action in {"get_image", "get_record"}:
        return {"file": name}
    if action == "get_file":
        return {"file_id": name, "file": name}
    where: dict[str, Any] = {key: known[key] for key in ("busid", "file_hash") if known.get(key)}
    where |= {key: _number(known[key]) for key in ("user_id", "group_id") if known.get(key)}
    return {"file_id": name, **where}


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _inline(data: Mapping[str, Any]) -> Iterator[str]:
    encoded = data.get("base64")
    if isinstance(encoded, str) and encoded:
        yield encoded.removeprefix(_INLINE)
    for name in _PLACES:
        value = data.get(name)
        if isinstance(value, str) and value.startswith(_INLINE):
            yield value.removeprefix(_INLINE)


def _addresses(data: Mapping[str, Any]) -> Iterator[str]:
    """Addresses, each once; a path is one of another disk and stays unread."""
    found = [data.get(name) for name in _PLACES]
    urls = [
        one for one in found if isinstance(one, str) and one.startswith(("http://", "https://"))
    ]
    yield from dict.fromkeys(urls)


def _worst(errors: list[MediaError]) -> MediaError:
    """Explain why it could not be had: what may pass is tried again, and too large is not."""
    for error in errors:
        if isinstance(error, MediaGone) and error.code == "too_large":
            return error
    busy = [one for one in errors if isinstance(one, MediaBusy)]
    return next(iter([*busy, *errors]), MediaGone("expired"))


__all__ = ["Files"]
