"""What a request said: query, urlencoded form, multipart form or JSON, all alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from devkit.telegram.rules import bad


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a request."""

    name: str
    mime: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of one request."""

    values: Mapping[str, Any]
    files: Mapping[str, Upload]

    def text(self, name: str, default: str = "") -> str:
        """A string; numbers in JSON bodies are taken as written."""
        value = self.values.get(name)
        return default if value is None else str(value)

    def integer(self, name: str, default: int = 0) -> int:
        """A number; what is none counts as 0, as the real server has it."""
        try:
            return int(self.values.get(name, default))
        except (TypeError, ValueError):
            return 0

    def flag(self, name: str) -> bool:
        """A yes or no."""
        return self.text(name).lower() in {"true", "yes", "1"}

    def data(self, name: str) -> Any:
        """A nested value: JSON in a form's field, or as it is in a JSON body."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad(f"can't parse {name.replace('_', ' ')} JSON object") from None

    def file(self, name: str) -> Upload | str | None:
        """An upload, or a ``file_id`` or address; ``None`` where there is neither."""
        if name in self.files:
            return self.files[name]
        value = self.text(name)
        if value.startswith("attach://"):
            return self.files.get(value.removeprefix("attach://"))
        return value or None


async def read(request: web.Request) -> Parameters:
    """The parameters of a request; unreadable JSON counts as none."""
    values: dict[str, Any] = dict(request.query)
    files: dict[str, Upload] = {}
    if request.content_type == "application/json":
        try:
            values |= json.loads(await request.read())
        except ValueError:
            raise bad("can't parse JSON object") from None
    else:
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                content = value.file.read()
                files[name] = Upload(value.filename, value.content_type, content)
            else:
                values[name] = value
    return Parameters(values, files)
