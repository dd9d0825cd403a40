"""What customers say under load: realistic, each different, each a finished sentence.

A message that looks unfinished is waited on for the rest on purpose; that wait is measured by
itself. So everything here ends in a way that nothing more is expected after.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from bot.turn.fragments import looks_unfinished

_OPENINGS = (
    "",
    "你好，",
    "老板，",
    "亲，",
    "请问",
    "在吗，",
    "麻烦问下，",
    "客服你好，",
    "想问一下，",
    "您好，打扰了，",
)
_CLOSINGS = ("？", "？", "？谢谢", "，急急急！", "？？", "呢？", "？在线等，谢谢")
_PRODUCTS = (
    "月卡",
    "季卡",
    "年卡",
    "点卡",
    "会员",
    "礼品卡",
    "充值卡",
    "游戏点券",
    "激活码",
    "话费",
)
_TIMES = ("昨天", "今天上午", "刚才", "前天晚上", "十分钟前", "半小时前", "上周五", "中午", "凌晨")
_COUNTS = ("一张", "两张", "三张", "五张", "十张", "二十张", "一百张")
_QUESTIONS = (
    "我{time}买的{product}还没收到卡密怎么办",
    "{time}付了款，{product}怎么还没发货",
    "{time}下单{count}{product}，卡密在哪里看",
    "{product}多少钱{count}",
    "{count}{product}能便宜点吗",
    "{product}现在还有货吗",
    "{product}什么时候补货",
    "{product}怎么使用",
    "{product}的有效期是多久",
    "{time}买的{product}兑换的时候提示卡密无效怎么办",
    "{time}收到的{product}显示已经被使用了怎么回事",
    "买{count}{product}可以用微信付款吗",
    "{product}支持支付宝吗",
    "{time}付{product}的钱付不了是什么原因",
    "{time}给{product}多付了一次钱怎么处理",
    "{time}买的{product}可以开发票吗",
    "{product}买{count}有批发价吗",
    "我{time}买{product}填错账号了怎么改",
    "{time}充值的{product}没到账怎么回事",
    "{product}充值一般多久到账",
    "{product}在手机上怎么兑换",
    "你们的{product}是正规渠道的吗",
    "{time}买{product}忘了查询密码怎么办",
    "{product}能不能送给朋友用",
    "{product}一次最多能买{count}吗",
    "{time}注册的账号登录不了，还能买{product}吗",
    "现在买{product}有优惠券吗",
    "你们客服几点下班，{time}买的{product}有问题找谁",
    "{product}在哪里下单",
    "不登录可以买{product}吗",
)


def utterances(random: Random) -> Iterator[str]:
    """Endlessly different finished sentences, the same ones for the same seed."""
    said: set[str] = set()
    while True:
        question = random.choice(_QUESTIONS).format(
            product=random.choice(_PRODUCTS),
            time=random.choice(_TIMES),
            count=random.choice(_COUNTS),
        )
        text = f"{random.choice(_OPENINGS)}{question}{random.choice(_CLOSINGS)}"
        if text in said:
            continue
        said.add(text)
        # not even a bot that understands nothing may wait for the rest of it
        assert not looks_unfinished(text, is_understood=False), text
        yield text


def fragments() -> Iterator[str]:
    """Beginnings after which the rest is waited for."""
    for time in _TIMES:
        yield f"我{time}在你们这里买的，"
        yield f"就是{time}那个，"
