"""The forty cases by number; tests say which they show with ``@case(7)``.

Letters: T Telegram, O WeChat Official Account, K WeCom customer service, B OneBot, Q QQ bot, A the
shop's app. The web page keeps them in tests of its own (tests/browser, tests/contracts,
tests/connectors/test_hub.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])

LETTERS = {"telegram": "T", "wechat": "O", "wecom": "K", "onebot": "B", "qq": "Q", "app": "A"}

CASES: dict[int, tuple[str, str]] = {
    1: ("A bad secret, signature or token is refused, nothing is stored", "TOKBQA"),
    2: ("Published signature vectors match", "OKBQA"),
    3: ("A tampered body under the same signature is refused", "OKQA"),
    4: ("A stale timestamp is refused, a skewed clock is not", "OKQA"),
    5: ("The URL is verified", "OKQ"),
    6: ("Too large and garbage get 4xx, the process lives", "TOKBQA"),
    7: ("The same three times is answered once", "TOKBQA"),
    8: ("The same twice at once is answered once", "TOKBQA"),
    9: ("Not stored, not acknowledged: it comes again and is answered once", "TOKBQA"),
    10: ("Stored before a stop and not answered: answered once after the start", "TOKBQA"),
    11: ("While the database is away nothing is acknowledged, later all is answered", "TOKBQA"),
    12: ("Many fast messages of one customer are dealt with in their order", "TOKBQA"),
    13: ("A slow customer does not delay another", "TOKBQA"),
    14: ("A slow bot: acknowledged at once, nothing twice", "TOKQA"),
    15: ("Passive only: answered on a later delivery, else the words to fetch it", "O"),
    16: ("Coming, going and coming back are known", "TOKBQA"),
    17: ("A pressed button acts once, a second press does nothing", "TOKQA"),
    18: ("Without buttons choices are numbers, and the number picks", "TOKBQA"),
    19: ("Texts at the limit, one over, and far over arrive whole", "TOKBQA"),
    20: ("Refused formatting is sent once as plain text", "TKQO"),
    21: ("What a customer typed is shown literally", "TOKBQA"),
    22: ("Pieces arrive in order although the second failed first", "TOKBQA"),
    23: ("A named wait is kept, other chats go on", "TOKBQA"),
    24: ("Who left is undeliverable, marked, and not tried again", "TOKBQA"),
    25: ("An expired token: one refresh, one retry, shared by all", "OKQ"),
    26: ("A token that is always refused: bounded tries, the account is down", "TOKQA"),
    27: ("WeChat's windows: the sixth, the 49th hour, the menu's three", "O"),
    28: ("WeCom's budget and its people: silent while they have it", "K"),
    29: ("A failure told after success shows as failed, with its reason", "KQ"),
    30: ("WeCom's log: all pages, lost notices, history left alone", "K"),
    31: ("QQ's windows and budget, chunks merged to fit", "Q"),
    32: ("QQ: the same number at every try, a repeat counts as sent", "Q"),
    33: ("A time-out after the deed: repeated only where that shows once", "TOKBQA"),
    34: ("A second poller degrades, recovers by itself; a dead one shows", "T"),
    35: ("Sockets: back-off, the newest wins", "B"),
    36: ("OneBot: late answers dropped, half-dead sockets closed, offline told", "B"),
    37: ("Files come in and go out; too large, gone and inside are refused", "TOKBQA"),
    38: ("In groups only when mentioned, the mention taken off", "TBQ"),
    39: ("A graceful stop frees the port, a restart loses nothing", "TOKBQA"),
    40: ("No secret in logs or errors; unknown kinds are kept and skipped", "TOKBQA"),
}

ELSEWHERE: dict[tuple[int, str], tuple[str, ...]] = {
    (1, "telegram"): ("test_a_wrong_or_missing_secret_is_refused_and_nothing_is_stored",),
    (1, "wechat"): ("test_what_is_not_the_platforms_is_refused_and_not_stored",),
    (1, "wecom"): ("test_a_forged_notice_starts_no_reading",),
    (1, "onebot"): ("test_only_who_knows_the_token_may_connect",),
    (1, "qq"): ("test_a_forged_or_altered_event_is_not_stored",),
    (1, "app"): ("test_only_what_the_shop_signed_just_now_is_taken",),
    (2, "wechat"): (
        "test_the_signature_of_the_url_check_is_the_published_one",
        "test_the_sealed_vector_opens",
    ),
    (2, "wecom"): ("test_the_known_signature_and_ciphertext_are_read",),
    (2, "onebot"): ("test_segments_are_read_as_the_standard_writes_them",),
    (2, "qq"): ("test_signatures_match_the_documented_vector",),
    (2, "app"): ("test_the_signature_of_the_manuals_example_is_the_one_that_openssl_gives",),
    (3, "wechat"): ("test_a_tampered_seal_and_a_foreign_app_are_refused",),
    (3, "wecom"): ("test_a_changed_body_is_refused",),
    (3, "qq"): ("test_what_was_changed_is_refused",),
    (3, "app"): ("test_a_signature_fits_its_body_its_time_and_its_secret_alone",),
    (4, "wechat"): ("test_an_old_signature_is_refused_and_a_wrong_clock_within_limits_is_not",),
    (4, "wecom"): ("test_clocks_may_differ_a_little_and_old_notices_are_refused",),
    (4, "qq"): ("test_an_old_signature_is_refused_and_a_skewed_clock_is_not",),
    (4, "app"): ("test_only_what_the_shop_signed_just_now_is_taken",),
    (5, "wechat"): ("test_the_platforms_question_is_answered_with_its_own_words",),
    (5, "wecom"): ("test_a_url_that_cannot_decrypt_is_not_saved",),
    (5, "qq"): (
        "test_the_check_of_the_address_is_answered_as_documented",
        "test_a_check_with_a_token_that_looks_like_json_is_refused",
    ),
    (6, "telegram"): ("test_garbage_is_refused_and_the_process_lives",),
    (6, "wechat"): ("test_no_body_does_worse_than_being_refused",),
    (6, "wecom"): ("test_garbage_is_refused_and_the_next_notice_is_taken",),
    (6, "onebot"): ("test_garbage_on_the_socket_is_skipped",),
    (6, "qq"): ("test_garbage_is_refused_and_the_bot_lives_on",),
    (6, "app"): ("test_what_cannot_be_read_is_refused_with_what_to_do",),
    (15, "wechat"): (
        "test_a_slow_answer_is_given_on_a_later_delivery_of_the_same_message",
        "test_after_the_last_delivery_the_customer_reads_how_to_fetch_it",
    ),
    (20, "telegram"): ("test_refused_formatting_says_so",),
    (20, "wechat"): ("test_menus_that_are_refused_become_numbers_from_then_on",),
    (20, "wecom"): ("test_refused_menus_are_sent_once_more_as_plain_text",),
    (20, "qq"): ("test_refused_buttons_are_a_matter_of_format_and_not_tried_again",),
    (23, "telegram"): ("test_an_error_says_what_helps_and_repeats_nothing",),
    (23, "wechat"): ("test_limits_are_the_accounts_and_say_how_long",),
    (23, "wecom"): ("test_too_often_pauses_the_whole_account",),
    (23, "onebot"): ("test_a_channels_pace_is_kept_per_customer_and_over_all",),
    (23, "qq"): ("test_who_is_too_fast_waits_and_a_limit_of_the_call_holds_the_bot",),
    (23, "app"): ("test_a_server_that_names_a_time_to_wait_is_heard",),
    (25, "wechat"): ("test_ten_sends_with_an_expired_token_fetch_one_new",),
    (25, "wecom"): ("test_a_revoked_token_is_replaced_once_for_all_who_met_it",),
    (25, "qq"): ("test_ten_sends_with_an_expired_token_fetch_one",),
    (26, "telegram"): ("test_a_refused_token_takes_the_account_down_until_a_send_succeeds",),
    (26, "wechat"): ("test_a_token_that_is_never_taken_ends_in_an_error",),
    (26, "wecom"): ("test_a_token_that_is_always_refused_is_tried_twice",),
    (26, "qq"): ("test_a_token_that_is_always_refused_is_not_asked_for_without_end",),
    (26, "app"): ("test_what_the_apps_server_says_decides_what_is_done",),
    (27, "wechat"): (
        "test_six_messages_and_two_days_close_the_window",
        "test_an_event_allows_three_answers_within_a_minute",
    ),
    (28, "wecom"): (
        "test_the_sixth_answer_waits_for_the_customer",
        "test_people_in_wecom_answer_and_end_the_session",
    ),
    (29, "wecom"): ("test_a_failed_delivery_names_the_unit_and_the_reason",),
    (29, "qq"): ("test_a_rejected_review_names_the_unit",),
    (30, "wecom"): (
        "test_short_and_empty_pages_are_read_to_the_end",
        "test_a_lost_notice_is_made_up_for_by_the_poll",
        "test_the_first_start_leaves_history_alone",
        "test_late_and_doubled_notices_change_nothing",
    ),
    (31, "qq"): (
        "test_after_the_window_only_the_customer_opens_it_again",
        "test_the_budget_that_we_keep_is_the_platforms",
    ),
    (32, "qq"): ("test_a_reply_that_timed_out_is_sent_once",),
    (34, "telegram"): (
        "test_a_second_poller_degrades_then_fails_and_leaves_no_trace",
        "test_a_poller_that_died_is_seen_at_once",
        "test_a_poll_that_never_ends_is_seen_within_a_minute",
    ),
    (35, "onebot"): (
        "test_the_newest_connection_wins",
        "test_a_forward_connection_is_dialled_again",
    ),
    (36, "onebot"): (
        "test_an_answer_to_somebody_else_is_dropped",
        "test_a_half_dead_socket_is_closed",
        "test_an_account_that_is_offline_is_told",
    ),
}
"""Cases of one channel that its own tests show (tests/connectors/<channel>), by their names."""


def case(*numbers: int) -> Callable[[Test], Test]:
    """Marks a test as showing these cases."""
    assert all(number in CASES for number in numbers)
    return pytest.mark.case(*numbers)
