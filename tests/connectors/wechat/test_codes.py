from __future__ import annotations

import pytest

from connectors.errors import (
    AuthError,
    Fatal,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
    WindowClosed,
)
from connectors.wechat import codes


def error(code: int) -> SendError:
    return codes.error(code, limited_pause_s=60.0, daily_limit_pause_s=1800.0)


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (WindowClosed, (45015, 45047)),
        (Undeliverable, (40003, 43004, 43019, 48002)),
        (AuthError, (40001, 40014, 42001, 41001, 40125, 40013)),
        (Fatal, (48001, 48004, 40164, 61004, 50002)),
        (RateLimited, (45009, 45011)),
        (Rejected, (45002, 40007, 87014, 44004, 40008, 47001, 99999)),
        (Retryable, (-1, 61450)),
    ],
)
def test_a_code_tells_what_helps(kind: type[SendError], numbers: tuple[int, ...]) -> None:
    for number in numbers:
        found = error(number)
        assert type(found) is kind
        assert found.code == str(number)
        assert not found.maybe_sent


@pytest.mark.parametrize(("number", "pause_s"), [(45011, 60.0), (45009, 1800.0)])
def test_limits_are_the_accounts_and_say_how_long(number: int, pause_s: float) -> None:
    found = error(number)
    assert isinstance(found, RateLimited)
    assert (found.retry_after_s, found.is_account) == (pause_s, True)


@pytest.mark.parametrize(("number", "is_format"), [(40008, True), (47001, True), (87014, False)])
def test_only_a_refused_kind_is_worth_sending_as_plain_text(number: int, is_format: bool) -> None:
    found = error(number)
    assert isinstance(found, Rejected)
    assert found.is_format is is_format


@pytest.mark.parametrize("code", ["40164", "48001", "40125", "no-such-code"])
def test_an_admin_reads_what_to_do(code: str) -> None:
    assert any("\u4e00" <= char <= "\u9fff" for char in codes.advice(code))
