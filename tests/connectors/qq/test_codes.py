"""What the platform's codes become."""

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
from connectors.qq import codes


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (11241, 401, AuthError),
        (11243, 401, AuthError),
        (11244, 500, AuthError),
        (100016, 200, AuthError),
        (0, 401, AuthError),
        (22009, 400, WindowClosed),
        (304026, 400, WindowClosed),
        (304027, 400, WindowClosed),
        (304103, 400, WindowClosed),
        (40034005, 400, WindowClosed),
        (40034024, 400, WindowClosed),
        (40034025, 400, WindowClosed),
        (40034026, 400, WindowClosed),
        (40034102, 400, WindowClosed),
        (40034105, 400, WindowClosed),
        (40034128, 400, WindowClosed),
        (1100104, 400, Undeliverable),
        (40054003, 400, Undeliverable),
        (40054004, 400, Undeliverable),
        (40054013, 400, Undeliverable),
        (304003, 400, Rejected),
        (1100101, 400, Rejected),
        (40034006, 400, Rejected),
        (40054007, 400, Rejected),
        (999999, 400, Rejected),
        (304036, 400, Rejected),
        (304037, 400, Rejected),
        (50056, 400, Rejected),
        (40034029, 400, Rejected),
        (1100100, 400, RateLimited),
        (0, 429, RateLimited),
        (100001, 200, RateLimited),
        (11242, 500, AuthError),
        (11252, 500, Retryable),
        (304082, 400, Retryable),
        (50055002, 400, Retryable),
        (999999, 500, Retryable),
        (0, 502, Retryable),
        (0, 504, Retryable),
        (11253, 403, Fatal),
        (11254, 403, Fatal),
        (11265, 403, Fatal),
        (11298, 401, Fatal),
        (40023002, 401, Fatal),
    ],
)
def test_a_code_becomes_the_error_that_helps(code: int, status: int, kind: type[SendError]) -> None:
    error = codes.error(code, status, pause_s=7)
    assert type(error) is kind
    assert error.code == (str(code) if code else f"http-{status}")


@pytest.mark.parametrize("code", [304036, 304037, 50056, 40034011, 40034029, 305007, 40034127])
def test_refused_markup_is_told_from_refused_words(code: int) -> None:
    error = codes.error(code, 400, pause_s=7)
    words = codes.error(1100101, 400, pause_s=7)
    assert isinstance(error, Rejected)
    assert isinstance(words, Rejected)
    assert (error.is_format, words.is_format) == (True, False)


def test_who_is_too_fast_waits_and_a_limit_of_the_call_holds_the_bot() -> None:
    found = [codes.error(code, status, pause_s=7) for code, status in [(1100100, 400), (0, 429)]]
    assert all(isinstance(error, RateLimited) for error in found)
    assert [(error.retry_after_s, error.is_account) for error in found] == [(7, False), (7, True)]  # type: ignore[attr-defined]


def test_nobody_knows_what_a_server_did_that_failed() -> None:
    assert codes.error(0, 504, pause_s=7).maybe_sent
    assert not codes.error(304082, 400, pause_s=7).maybe_sent


@pytest.mark.parametrize("code", [11243, 100016, 11265, 123456])
def test_an_admin_is_told_what_to_do_or_at_least_which_code_it_was(code: int) -> None:
    said = codes.advice(str(code))
    assert said.endswith("。")
    assert str(code) in said or str(code) in codes.ADVICE
