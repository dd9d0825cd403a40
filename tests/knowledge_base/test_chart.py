"""The evaluation as a page."""

import re

from knowledge_base.evaluation.cases import Case
from knowledge_base.evaluation.chart import page
from knowledge_base.evaluation.evaluation import evaluate
from knowledge_base.recognition.loader import KnowledgeBase

EVIL = "<script>alert('几点关门')</script>"


def drawn(kb: KnowledgeBase, *cases: Case) -> str:
    titles = {str(name): intent.title for name, intent in kb.intents.items()}
    return page(evaluate(kb, cases), titles=titles, shop=kb.shop.name, cases="cases.csv")


def test_a_page_shows_figures_recall_confusions_and_both_thresholds(
    small_kb: KnowledgeBase,
) -> None:
    html = drawn(
        small_kb,
        Case("我要退款", ("refund_request",)),
        Case("几点关门", ("payment_methods",)),
        Case("快递几天到", ()),
    )
    assert "50.0<small>%</small></b><span>直接答对" in html
    assert "100.0<small>%</small></b><span>没有乱答" in html
    assert "付款方式 <code>payment_methods</code>" in html
    assert "<li>几点关门</li>" in html
    assert f"反问 {small_kb.thresholds.clarify:.2f}" in html
    assert f"回答 {small_kb.thresholds.answer:.2f}" in html
    assert "全对的 1 个" in html


def test_a_page_needs_no_network_and_no_script(small_kb: KnowledgeBase) -> None:
    html = drawn(small_kb, Case("我要退款", ("refund_request",)))
    assert not re.search(r"https?:|//[a-z]|url\(|@import|<script|<link|<img| src=", html)


def test_what_customers_wrote_is_escaped(small_kb: KnowledgeBase) -> None:
    html = drawn(small_kb, Case(EVIL, ("<b>made up</b>",)))
    assert "<script" not in html
    assert "<b>made up" not in html
    assert "&lt;script&gt;alert(" in html


def test_a_page_of_nothing_and_of_one_side_alone_is_drawn(small_kb: KnowledgeBase) -> None:
    assert "这份句子里没有" in drawn(small_kb)
    assert "一句都没认错" in drawn(small_kb, Case("转人工", ("human_agent",)))
    assert "NaN" not in drawn(small_kb, Case("快递几天到", ()))
