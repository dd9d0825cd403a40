"""An account's health is the worse of its two ways."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.kit.pulse import Pulse
from connectors.messages import HealthState

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def test_nothing_is_known_before_the_first_sign() -> None:
    assert Pulse().health().state is HealthState.STARTING


@pytest.mark.parametrize("way", ["sending", "receiving"])
def test_one_way_that_is_well_is_enough_while_nothing_is_known_of_the_other(way: str) -> None:
    pulse = Pulse()
    getattr(pulse, way).up()
    assert pulse.health().state is HealthState.UP


def test_hearing_customers_does_not_hide_that_they_do_not_hear_us() -> None:
    pulse = Pulse()
    pulse.sending.down("密钥不对")
    pulse.receiving.up()
    pulse.heard(NOW)
    health = pulse.health()
    assert (health.state, health.last_error) == (HealthState.DOWN, "密钥不对")


def test_what_went_out_mends_sending_and_not_receiving() -> None:
    pulse = Pulse()
    pulse.sending.down("密钥不对")
    pulse.receiving.degraded("暂时读不到新消息")
    pulse.sent(NOW)
    health = pulse.health()
    assert (health.state, health.last_error) == (HealthState.DEGRADED, "暂时读不到新消息")
    assert health.last_outbound_ok_at == NOW
