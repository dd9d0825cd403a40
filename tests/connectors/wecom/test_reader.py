from __future__ import annotations

from connectors.messages import HealthState, InboundKind
from connectors.wecom.reader import MAX_IDLE_PAGES
from devkit.wecom import FakeWeComKF
from devkit.wecom.platform import OPEN_KFID
from tests.connectors.wecom.conftest import HandClock, Stand


def reads(fake: FakeWeComKF) -> int:
    return sum(call.method == "kf/sync_msg" for call in fake.calls)


async def test_a_notice_is_answered_at_once_and_its_messages_are_read(
    stand: Stand, fake: FakeWeComKF
) -> None:
    await stand.serve()
    await fake.says("ming", "在吗")
    await stand.until_stored("在吗")
    assert fake.pushes == [(200, "success")]
    (message,) = stand.sink.stored.values()
    assert (message.person_name, message.address.peer_id) == ("ming", "wmming")


async def test_without_news_nothing_is_read(stand: Stand, fake: FakeWeComKF) -> None:
    await stand.serve()
    await fake.says("ming", "在吗")
    await stand.until(lambda: stand.clock.slept.count(180.0) == 2)
    before = reads(fake)
    # a few calls back and forth, in which a reader that does not rest would read again
    for _ in range(3):
        await stand.connector.check()
    assert reads(fake) == before


async def test_another_refusal_is_not_taken_for_an_expired_token(
    stand: Stand, fake: FakeWeComKF
) -> None:
    await stand.serve()
    fake.faults.add("error", "kf/sync_msg", code=95000)
    await fake.says("ming", "在吗")
    await stand.until(lambda: stand.connector.health().state is HealthState.DOWN)
    assert "客服账号 ID 不对" in str(stand.connector.health().last_error)


async def test_the_first_start_leaves_history_alone(
    stand: Stand, fake: FakeWeComKF, clock: HandClock
) -> None:
    await fake.says("old", "昨天的问题")
    clock.passes(minutes=11)
    await fake.says("ming", "刚才的问题")
    clock.passes(minutes=9)
    stand.connector = stand.a_connector()
    await stand.serve()
    assert stand.sink.texts == ["刚才的问题"]


async def test_who_is_served_by_a_person_at_the_first_start_is_known(
    stand: Stand, fake: FakeWeComKF, clock: HandClock
) -> None:
    await fake.says("old", "昨天的问题")
    await fake.native_reply("old", "我来处理")
    clock.passes(minutes=30)
    stand.connector = stand.a_connector()
    await stand.serve()
    await fake.says("ming", "刚才的问题")
    await stand.until_stored("刚才的问题")
    kinds = [one.kind for one in stand.sink.stored.values() if one.address.user_id == "wmold"]
    assert kinds == [InboundKind.NATIVE_REPLY]


async def test_a_restart_within_the_first_reading_still_leaves_history_alone(
    stand: Stand, fake: FakeWeComKF, clock: HandClock
) -> None:
    for number in range(4):
        await fake.says("old", f"旧问题{number}")
    clock.passes(hours=1)
    fake.page_size = 2
    stand.connector = stand.a_connector()
    fake.faults.add("status", "kf/sync_msg", match=lambda body: bool(body["cursor"]), times=9)
    await stand.connector.start()
    await stand.until(lambda: stand.connector.health().state is HealthState.DEGRADED)
    await stand.connector.stop()
    assert stand.sink.checkpoints["cursor"].startswith("since ")

    fake.faults.clear()
    clock.passes(minutes=30)
    await fake.says("ming", "新问题")
    stand.connector = stand.a_connector()
    await stand.serve()
    await stand.until_stored("新问题")
    assert stand.sink.texts == ["新问题"]
    assert not stand.sink.checkpoints["cursor"].startswith("since ")


async def test_what_came_while_we_were_away_is_answered_however_old(
    stand: Stand, fake: FakeWeComKF, clock: HandClock
) -> None:
    await stand.serve()
    await stand.connector.stop()
    await fake.says("ming", "有人吗")
    clock.passes(hours=20)
    stand.connector = stand.a_connector()
    await stand.connector.start()
    await stand.until_stored("有人吗")


async def test_short_and_empty_pages_are_read_to_the_end(stand: Stand, fake: FakeWeComKF) -> None:
    await stand.serve()
    fake.callbacks.url, url = "", fake.callbacks.url
    for number in range(7):
        await fake.says("ming", f"第{number}句")
    fake.page_size, fake.empty_pages, fake.callbacks.url = 2, 2, url
    await fake.says("ming", "最后一句")
    await stand.until_stored("最后一句")
    assert stand.sink.texts == [f"第{number}句" for number in range(7)] + ["最后一句"]


async def test_a_log_that_promises_for_ever_is_left_and_tried_again_later(
    stand: Stand, fake: FakeWeComKF
) -> None:
    await stand.serve()
    before = reads(fake)
    fake.empty_pages = 10_000
    await fake.says("ming", "在吗")
    await stand.until(lambda: stand.connector.health().state is HealthState.DEGRADED)
    assert reads(fake) - before == MAX_IDLE_PAGES
    fake.empty_pages = 0
    await fake.says("ming", "还在吗")
    await stand.until_stored("在吗", "还在吗")
    await stand.until(lambda: stand.connector.health().state is HealthState.UP)


async def test_one_message_given_three_times_is_stored_once(
    stand: Stand, fake: FakeWeComKF
) -> None:
    await stand.serve()
    msgid = await fake.says("ming", "在吗", times=3)
    await fake.replays(msgid)
    await fake.says("ming", "好的")
    await stand.until_stored("好的")
    assert list(stand.sink.stored) == [msgid, *(key for key in stand.sink.stored if key != msgid)]
    assert stand.sink.texts == ["在吗", "好的"]


async def test_a_lost_notice_is_made_up_for_by_the_poll(
    stand: Stand, fake: FakeWeComKF, clock: HandClock
) -> None:
    await stand.serve()
    fake.faults.add("lost", "callback")
    await fake.says("ming", "在吗")
    assert clock.slept[-1] == 180
    clock.passes(seconds=180)
    await stand.until_stored("在吗")


async def test_late_and_doubled_notices_change_nothing(stand: Stand, fake: FakeWeComKF) -> None:
    await stand.serve()
    fake.faults.add("late", "callback")
    await fake.says("ming", "第一句")
    fake.faults.add("twice", "callback")
    await fake.says("ming", "第二句")
    await stand.until_stored("第一句", "第二句")
    await fake.deliver_late()
    await fake.says("ming", "第三句")
    await stand.until_stored("第三句")
    assert stand.sink.texts == ["第一句", "第二句", "第三句"]


async def test_notices_during_a_reading_are_read_in_one_more_round(
    stand: Stand, fake: FakeWeComKF
) -> None:
    await stand.serve()
    fake.faults.add("delay", "kf/sync_msg", seconds=0.5)  # what is said meanwhile fits in
    await fake.says("ming", "第0句")
    await fake.until(lambda: len(fake.faults.used) == 1)
    before = reads(fake)
    for number in range(1, 6):
        await fake.says("ming", f"第{number}句")
    await stand.until_stored("第5句")
    assert reads(fake) - before <= 2


async def test_while_the_database_is_away_the_cursor_stays(
    stand: Stand, fake: FakeWeComKF, clock: HandClock
) -> None:
    await stand.serve()
    place = stand.sink.checkpoints["cursor"]
    stand.sink.is_down = True
    await fake.says("ming", "在吗")
    assert fake.pushes == [(200, "success")]
    await stand.until(lambda: stand.connector.health().state is HealthState.DEGRADED)
    assert stand.sink.checkpoints["cursor"] == place
    stand.sink.is_down = False
    clock.passes(seconds=5)
    await stand.until_stored("在吗")
    await stand.until(lambda: stand.connector.health().state is HealthState.UP)


async def test_an_expired_callback_token_is_done_without(stand: Stand, fake: FakeWeComKF) -> None:
    await stand.serve()
    fake.state.callback_tokens.clear()
    fake.faults.add("late", "callback")
    await fake.says("ming", "在吗")
    # the platform's clock runs ahead of ours: it finds the token too old
    fake.state.callback_tokens = {
        token: at.replace(year=2020) for token, at in fake.state.callback_tokens.items()
    }
    await fake.deliver_late()
    await stand.until_stored("在吗")


async def test_reading_too_often_pauses_until_a_notice_brings_a_token(
    stand: Stand, fake: FakeWeComKF, clock: HandClock
) -> None:
    await stand.serve()
    fake.tokenless_per_minute = 0
    clock.passes(seconds=700)
    await stand.until(lambda: 59 in clock.slept)
    assert stand.connector.health().state is HealthState.UP
    await fake.says("ming", "在吗")
    await stand.until_stored("在吗")


async def test_a_refused_secret_shows_in_the_health_with_advice(stand: Stand) -> None:
    stand.connector = stand.a_connector(secret="w" * 43)
    await stand.connector.start()
    await stand.until(lambda: stand.connector.health().state is HealthState.DOWN)
    assert "Secret 不对" in str(stand.connector.health().last_error)
    assert stand.sink.checkpoints == {}


async def test_another_accounts_notice_is_not_ours_to_read(stand: Stand, fake: FakeWeComKF) -> None:
    await stand.serve()
    before = reads(fake)
    await fake.notifies("ENCother", open_kfid="wkOther")
    await fake.says("ming", "在吗")
    await stand.until_stored("在吗")
    assert fake.pushes == [(200, "success"), (200, "success")]
    assert all(
        call.parameters.get("token") != "ENCother"
        for call in fake.calls
        if call.method == "kf/sync_msg"
    )
    assert reads(fake) > before


async def test_only_who_has_the_lease_reads(stand: Stand, fake: FakeWeComKF) -> None:
    await stand.serve()
    before = reads(fake)
    stand.lease.is_taken = True
    await fake.says("ming", "在吗")
    await stand.until(lambda: stand.connector.health().state is HealthState.DEGRADED)
    assert reads(fake) == before
    stand.lease.is_taken = False
    await stand.until_stored("在吗")


async def test_names_are_asked_once_and_done_without_when_refused(
    stand: Stand, fake: FakeWeComKF
) -> None:
    await stand.serve()
    fake.faults.add("error", "kf/customer/batchget", code=48002)
    await fake.says("ming", "第一句")
    await stand.until_stored("第一句")
    await fake.says("hong", "第二句")
    await stand.until_stored("第二句")
    asked = [call for call in fake.calls if call.method == "kf/customer/batchget"]
    assert len(asked) == 1
    assert {one.person_name for one in stand.sink.stored.values()} == {None}


async def test_people_in_wecom_answer_and_end_the_session(stand: Stand, fake: FakeWeComKF) -> None:
    await stand.serve()
    await fake.says("ming", "转人工")
    await fake.native_reply("ming", "我来帮您")
    await fake.ends_natively("ming")
    await stand.until(lambda: bool(stand.sink.of_kind(InboundKind.NATIVE_END)))
    replies = [one.text for one in stand.sink.of_kind(InboundKind.NATIVE_REPLY)]
    assert replies == ["（接待了这位顾客）", "我来帮您"]


async def test_stopping_leaves_nothing_running_and_nothing_lost(
    stand: Stand, fake: FakeWeComKF
) -> None:
    await stand.serve()
    fake.faults.add("hang", "kf/sync_msg")
    await fake.says("ming", "在吗")
    await fake.until(lambda: len(fake.faults.used) == 1)
    await stand.connector.stop()
    assert stand.sink.texts == []
    await stand.connector.start()
    await stand.until_stored("在吗")
    asked = {call.parameters["open_kfid"] for call in fake.calls if call.method == "kf/sync_msg"}
    assert asked == {OPEN_KFID}
