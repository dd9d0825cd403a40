"""The shipped packs: all 50 intents, or the 10 of kb/minimal.yaml to start with."""

import csv
import shutil
from pathlib import Path

import pytest
from rapidfuzz import fuzz, process

from bot.tools.registry import TOOL_SPECS
from knowledge_base.evaluation.check import check
from knowledge_base.evaluation.finding import Severity
from knowledge_base.recognition.loader import KnowledgeBase, load
from knowledge_base.source.intent import IntentId
from knowledge_base.text.normalize import Normalizer

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "benchmarks" / "data" / "customers_sample.csv"

FULL = """
    order_status order_not_received order_resend order_cancel order_wrong_item order_wrong_account
    delivery_time payment_failed payment_unconfirmed payment_duplicate payment_methods invoice
    card_invalid card_used card_status card_expiry card_how_to_use card_region card_wrong_value
    topup_not_arrived topup_how how_to_buy product_stock product_price product_difference
    product_authentic coupon bulk_purchase refund_request refund_status refund_policy exchange
    complaint fraud_report account_register account_login account_frozen account_verify
    balance_recharge balance_withdraw reseller_join api_access supplier_join commission
    business_hours human_agent greeting thanks goodbye who_are_you
""".split()  # noqa: SIM905 - a line for each would fill a screen
MINIMAL = """
    greeting how_to_buy order_status order_not_received payment_unconfirmed card_invalid
    card_how_to_use topup_not_arrived refund_request human_agent
""".split()  # noqa: SIM905
CHITCHAT = {"greeting", "thanks", "goodbye", "who_are_you"}

ENOUGH_PHRASES = 12
# A customer's message this short is said the same way by everybody.
_SHORT = 6
_THE_SAME = 90


@pytest.fixture(scope="module", params=["full", "minimal"])
def pack(request: pytest.FixtureRequest) -> str:
    """Each shipped pack in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def kb(pack: str, tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    """The pack, put to use as the comment in kb.yaml says."""
    shop = tmp_path_factory.mktemp(pack)
    shutil.copytree(ROOT / "kb", shop / "kb")
    text = (ROOT / "kb.yaml").read_text("utf-8")
    if pack == "minimal":
        assert text.count("- kb/full/*.yaml") == 1
        text = text.replace("- kb/full/*.yaml", "- kb/minimal.yaml")
    (shop / "kb.yaml").write_text(text, "utf-8")
    return load(shop / "kb.yaml", tools=TOOL_SPECS, cache_dir=None)


def test_a_pack_has_its_intents_and_no_other(pack: str, kb: KnowledgeBase) -> None:
    assert len(FULL) == 50
    assert len(MINIMAL) == 10
    assert sorted(kb.intents) == sorted(FULL if pack == "full" else MINIMAL)


def test_kefu_kb_check_finds_no_error(kb: KnowledgeBase) -> None:
    assert [str(one) for one in check(kb) if one.severity is Severity.ERROR] == []


def test_every_intent_has_something_to_say_or_to_look_up(kb: KnowledgeBase) -> None:
    mute = [one.id for one in kb.intents.values() if not (one.answers or one.tool or one.handoff)]
    assert mute == []


def test_whatever_is_said_in_chinese_is_said_in_english_too(kb: KnowledgeBase) -> None:
    only_chinese: list[str] = [
        one.id
        for one in kb.intents.values()
        if (one.answers or (one.handoff is not None and one.handoff.text)) and not one.answers_en
    ]
    only_chinese += [
        f"{one.id}.{name}"
        for one in kb.intents.values()
        for name, outcome in one.outcomes.items()
        if not outcome.en
    ]
    assert only_chinese == []


def test_every_intent_has_enough_phrases(kb: KnowledgeBase) -> None:
    thin = {one.id: len(one.asks) for one in kb.intents.values() if len(one.asks) < ENOUGH_PHRASES}
    assert thin == {}


def test_no_phrase_stands_twice_in_an_intent(kb: KnowledgeBase) -> None:
    twice = [one.id for one in kb.intents.values() if len(set(one.asks)) < len(one.asks)]
    assert twice == []


def test_buttons_lead_to_intents_that_exist(kb: KnowledgeBase) -> None:
    # The loader refuses unknown ids; this holds whatever becomes of the loader.
    offered = {name for one in kb.intents.values() for name in one.then}
    assert offered | set(kb.shop.welcome_buttons) <= set(kb.intents)
    assert kb.shop.welcome_buttons
    to_themselves = [one.id for one in kb.intents.values() if one.id in one.then]
    assert to_themselves == []


def test_a_person_is_within_reach_from_the_first_buttons(kb: KnowledgeBase) -> None:
    assert IntentId("human_agent") in kb.shop.welcome_buttons


def test_no_message_of_the_labelled_sample_is_learnt(kb: KnowledgeBase) -> None:
    """Numbers measured on the sample say something about customers only while this holds.

    The message names our phrase, not the customer's, so that whoever rewords it stays blind.
    """
    normalize = Normalizer().normalize
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        said = [normalize(row["text"]) for row in csv.DictReader(file)]
    said = [text for text in said if len(text) > _SHORT]
    assert len(said) > 100
    learnt = [
        f"{kb.places[one.id, 'ask', n]}: reword “{phrase}” ({one.id})"
        for one in kb.intents.values()
        if one.id not in CHITCHAT
        for n, phrase in enumerate(one.asks)
        if process.extractOne(normalize(phrase), said, scorer=fuzz.ratio, score_cutoff=_THE_SAME)
    ]
    assert learnt == [], "\n".join(learnt)
