"""The closed list of what a backend may answer instead of data."""

from __future__ import annotations

import pytest

from shop.errors import BackendError, ErrorCode


@pytest.mark.parametrize("code", ErrorCode)
def test_every_code_has_a_sentence_that_a_customer_may_read(code: ErrorCode) -> None:
    assert BackendError(code).text


def test_an_unknown_result_is_looked_up_and_never_simply_tried_again() -> None:
    assert not BackendError(ErrorCode.UNKNOWN_RESULT).can_retry


def test_a_wait_is_carried_to_whoever_acts_on_it() -> None:
    error = BackendError(ErrorCode.RATE_LIMITED, retry_after_s=30)

    assert error.can_retry
    assert error.retry_after_s == 30
