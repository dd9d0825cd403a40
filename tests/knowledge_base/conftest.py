"""A small shop's kb.yaml, and ways to load variants of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge_base.recognition.loader import KnowledgeBase, load
from knowledge_base.source.tool_spec import Slot, SlotTexts, ToolOutcome, ToolSpec


def a_slot(name: str) -> Slot:
    return Slot(name, f"{name} 的名字", "任意", SlotTexts(("？", "?"), ("？", "?"), ("？", "?")))


def an_outcome(explained: str) -> ToolOutcome:
    return ToolOutcome(explained, ("好", "ok"))


TOOLS = {
    "order_lookup": ToolSpec(
        name="order_lookup",
        title="查订单",
        intent="order_status",
        slots=(a_slot("order_number"), a_slot("proof")),
        variables={"order.summary": "一句话说明", "order.number": "订单号"},
        outcomes={"delivered": an_outcome("已发货"), "not_found": an_outcome("没找到")},
    ),
    "card_status": ToolSpec(
        name="card_status",
        title="查卡密",
        intent="card_invalid",
        slots=(a_slot("card_secret"),),
        variables={"card.summary": "一句话说明"},
        outcomes={"used": an_outcome("已使用"), "unused": an_outcome("未使用")},
    ),
}

SMALL_KB = """\
shop: {name: 星辰点卡, timezone: Asia/Shanghai, hours: "每天 09:00-23:00"}
synonyms:
  - [卡密, 卡蜜, 兑换码, cdk, km]
out_of_scope:
  - 能不能代写作业
  - 快递几天到
intents:
  card_invalid:
    title: 卡密无效
    ask: [卡密输进去提示无效, 说我的卡不存在, 卡密提示错误, 这个卡密用不了啊, 兑换的时候说卡密不对,
          卡密怎么输都是错的, 充值卡密显示不存在, 卡密无法兑换]
    tool: card_status
    answer: 查到了：{{ card.summary }}
    then: [human_agent]
    test: [为啥卡密输不进去说是错的]
  refund_request:
    title: 申请退款
    ask: [我要退款, 不想要了退钱给我, 给我退了吧, 这单能退款吗, 申请退款, 钱退给我,
          我要求退钱, 麻烦退款]
    handoff: 好的，我请同事来处理退款。
  business_hours:
    title: 客服时间
    ask: [客服几点上班, 你们几点下班, 现在有人在线吗, 营业时间是几点到几点,
          周末有人值班吗, 晚上有客服吗, 几点关门, 客服工作时间]
    answer: 我们{{ shop.hours }}在线。
    en: We are here {{ shop.hours }}.
  payment_methods:
    title: 付款方式
    ask: [可以用支付宝吗, 支持微信付款吗, 怎么付款, 能用银行卡付吗, 支持哪些支付方式,
          可以刷信用卡吗, 收不收 usdt, can i pay with paypal]
    answer: 支付宝、微信都可以。
  human_agent:
    title: 转人工
    ask: [转人工, 人工客服, 我要找真人, 叫个人来, 不要机器人, 接人工, 找客服, talk to a human]
    handoff: true
  order_status:
    title: 查订单
    ask: [查一下我的订单, 订单到哪一步了, 订单怎么还在处理中, 我的单子什么情况, 帮我看看订单进度,
          订单号给你查一下, 订单状态, where is my order]
    tool: order_lookup
    outcomes: {not_found: 没查到这个订单，再核对一下？}
"""


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fits")


@pytest.fixture(scope="session")
def small_kb(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> KnowledgeBase:
    path = tmp_path_factory.mktemp("shop") / "kb.yaml"
    path.write_text(SMALL_KB, encoding="utf-8")
    return load(path, tools=TOOLS, cache_dir=cache_dir)


LoadText = Callable[..., KnowledgeBase]


@pytest.fixture
def load_text(tmp_path: Path, cache_dir: Path) -> LoadText:
    """Load a kb.yaml given as text; further files by keyword (``kb_a="…"`` → ``kb/a.yaml``)."""

    def load_it(text: str, **included: str) -> KnowledgeBase:
        for name, content in included.items():
            file = tmp_path / (name.replace("_", "/", 1) + ".yaml")
            file.parent.mkdir(exist_ok=True)
            file.write_text(content, encoding="utf-8")
        path = tmp_path / "kb.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path, tools=TOOLS, cache_dir=cache_dir)

    return load_it
