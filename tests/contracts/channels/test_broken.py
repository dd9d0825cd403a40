"""The contract fails for connectors that break it: run against some that do, each in its own way.

The sound connector keeps the very same promises in ``test_telegram.TestWebhook``.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.kit.base import BaseConnector
from devkit.telegram import FakeTelegram
from tests.contracts.channels import broken, test_hardships, test_telegram
from tests.contracts.channels.contract import ConnectorContract
from tests.contracts.channels.hardships import HardshipContract
from tests.contracts.channels.world import a_world

SEEN = AssertionError
"""The promise is broken for all to see."""
NEVER = TimeoutError
"""What is promised never comes."""


class _Contract(ConnectorContract):
    mode = test_telegram.TestWebhook.mode


class _Hardships(HardshipContract):
    mode = _Contract.mode
    trouble = test_hardships.TestTelegramWebhook.trouble


class _QQ(HardshipContract):
    mode = test_hardships.TestQQ.mode
    trouble = test_hardships.TestQQ.trouble


@dataclass(frozen=True, slots=True)
class Break:
    """A promise, by the end of its test's name, a connector that breaks it, and how that shows.

    Attributes:
        contract: Where the promise stands; of the mode that the connector is of.
        patience_s: Until it is sure that nothing comes: the sound connector needs a tenth of it.
    """

    promise: str
    connector: type[BaseConnector]
    how: type[Exception]
    patience_s: float = 1.0
    contract: type[ConnectorContract | HardshipContract] = _Contract

    def __str__(self) -> str:
        return f"{self.connector.__name__}-{self.promise}"


BREAKS = (
    Break("the_same_message_three_times_is_answered_once", broken.ForgetsTheKey, SEEN),
    Break("the_same_message_twice_at_once_is_answered_once", broken.ForgetsTheKey, SEEN),
    Break(
        "what_cannot_be_stored_is_not_acknowledged_and_answered_later",
        broken.AcknowledgesFirst,
        NEVER,
    ),
    Break("many_fast_messages_are_dealt_with_in_their_order", broken.LetsThemOvertake, SEEN),
    Break("a_slow_customer_does_not_delay_another", broken.SendsOneAfterTheOther, SEEN),
    Break(
        "who_comes_is_greeted_and_who_leaves_is_known_until_they_are_back",
        broken.DoesNotTellOfLeaving,
        NEVER,
    ),
    Break("a_pressed_button_acts_once", broken.TakesAPressForWords, SEEN),
    Break("a_number_picks_from_what_was_offered", broken.TakesStartForWords, NEVER),
    Break("texts_at_the_limit_and_over_it_arrive_whole", broken.OverstatesItsLimit, NEVER),
    Break("texts_at_the_limit_and_over_it_arrive_whole", broken.CutsOffTheRest, SEEN),
    Break("odd_characters_are_shown_as_they_were_typed", broken.EscapesTwice, SEEN),
    Break("pieces_arrive_in_order_although_the_second_failed_first", broken.StartsOver, SEEN),
    Break("who_left_is_undeliverable_and_not_tried_again", broken.TriesTheGoneAgain, NEVER),
    Break("who_left_is_undeliverable_and_not_tried_again", broken.GivesUpQuietly, NEVER),
    Break("a_time_out_after_the_deed_shows_once", broken.RepeatsAfterATimeOut, NEVER),
    Break("files_come_in_and_go_out", broken.GivesHalfOfAFile, SEEN),
    Break("in_a_group_only_what_is_said_to_us_is_heard", broken.AnswersEverybody, SEEN),
    Break("no_secret_stands_in_logs_or_in_what_agents_read", broken.LogsTheAddress, SEEN),
    Break("no_secret_stands_in_logs_or_in_what_agents_read", broken.TellsTheAddress, SEEN),
    # two kefus start there one after the other
    Break("a_restart_loses_nothing_and_answers_nothing_twice", broken.CountsFromOne, NEVER, 3.0),
)
HARD = (
    Break(
        "a_slow_bot_is_not_waited_for_and_nothing_is_answered_twice",
        broken.WaitsForTheAnswer,
        NEVER,
        contract=_Hardships,
    ),
    Break(
        "what_is_refused_for_its_form_is_sent_once_more_as_plain_text",
        broken.BlamesTheWords,
        NEVER,
        contract=_Hardships,
    ),
    Break(
        "a_named_wait_is_kept_and_nothing_overtakes",
        broken.DoesNotWait,
        SEEN,
        contract=_Hardships,
    ),
    Break(
        "a_file_that_is_too_large_is_not_taken_and_is_told",
        broken.ShowsSomethingElse,
        NEVER,
        contract=_Hardships,
    ),
    Break(
        "a_picture_that_is_none_is_never_shown_as_one",
        broken.ShowsSomethingElse,
        SEEN,
        contract=_Hardships,
    ),
    Break(
        "an_address_inside_our_network_is_not_fetched_from",
        broken.FetchesFromAnywhere,
        NEVER,
        3.0,
        contract=_QQ,
    ),
    Break(
        "what_nobody_knows_is_kept_and_the_next_message_is_answered",
        broken.DropsTheUnknown,
        NEVER,
        contract=_Hardships,
    ),
    Break(
        "refused_credentials_are_tried_a_few_times_and_told_to_the_admin",
        broken.HopesForTheBest,
        NEVER,
        3.0,
        contract=_Hardships,
    ),
    Break(
        "a_stop_frees_the_port_and_what_was_said_meanwhile_is_answered",
        broken.StartsAnew,
        NEVER,
        3.0,
        contract=_Hardships,
    ),
)


@pytest.mark.parametrize("one", [*BREAKS, *HARD], ids=str)
async def test_a_connector_that_breaks_a_promise_fails_its_test(
    one: Break,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("bot.app.channels.make", one.connector)
    promise = getattr(one.contract(), f"test_{one.promise}")
    given: dict[str, object] = {
        "shop_folder": tmp_path,  # on one database: what is broken is not the storage
        "monkeypatch": monkeypatch,
        "capfd": capfd,
    }
    wanted = inspect.signature(promise).parameters
    async with AsyncExitStack() as stack:
        if "world" in wanted:
            world = await stack.enter_async_context(a_world(one.contract.mode, tmp_path))
            assert isinstance(world.platform, FakeTelegram)
            pusher = world.platform.pusher
            await world.platform.until(lambda: pusher.webhook is not None)
            given["world"] = world
        with pytest.raises(one.how):
            async with asyncio.timeout(one.patience_s if one.how is NEVER else None):
                await promise(**{name: given[name] for name in wanted})


@pytest.mark.parametrize(
    ("contract", "breaks"), [(ConnectorContract, BREAKS), (HardshipContract, HARD)]
)
def test_every_promise_has_a_connector_that_breaks_it(
    contract: type, breaks: Sequence[Break]
) -> None:
    promises = {name for name in vars(contract) if name.startswith("test_")}
    assert promises == {f"test_{one.promise}" for one in breaks}
