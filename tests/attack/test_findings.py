"""What fuzzing and measuring found, one test each."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from connectors.app import openapi
from connectors.messages import ChannelRef
from connectors.onebot.mapping import Mapper
from connectors.web import frames

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def test_an_event_of_onebot_with_half_a_character_is_kept() -> None:
    mapper = Mapper(ChannelRef("onebot", "main"), "1", lambda *_: False)
    kept = mapper.inbound({"post_type": "\ud800", "user_id": "\ud800"}, NOW)
    assert kept is not None
    assert kept.raw is not None
    assert json.loads(kept.raw)["post_type"] == "\ud800"


def test_the_app_document_is_made_once_and_not_for_everybody_who_asks() -> None:
    assert openapi.document() is openapi.document()


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "msg", "client_id": "c\0", "text": "在吗"},
        {"type": "press", "client_id": "c", "msg_id": "\0", "button": "b"},
        {"type": "press", "client_id": "c", "msg_id": "m", "button": "\0"},
    ],
)
def test_an_id_with_a_control_character_is_no_frame_of_ours(frame: dict[str, str]) -> None:
    assert frames.parse(json.dumps(frame)) is None
