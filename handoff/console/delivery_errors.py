"""Why a message did not go out, or cannot, as agents read it.

Connectors name what went wrong as ``CODE: text``, mostly for logs. Agents read a sentence of their
own language, and the platform's code behind it for whoever asks the platform.
"""

from __future__ import annotations

import re

from handoff.model.transcript import DeliveryState

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_CODED = re.compile(r"(?P<code>[\w.-]{1,24}): (?P<text>.+)", re.DOTALL)
_REFUSED = "平台没有收下这条消息"
_AGAIN = "暂时没发出去，会自动再试"
_PHRASES = (
    ("never sent to a group", "卡密不会发到群里"),
    ("no connector", "这个渠道没有启用，请管理员检查 channels.yaml"),
    ("somebody else", "已经换人接待，机器人这条不再发送"),
    ("came too late", "隔得太久，不再发送"),
    ("waits behind", "排在前一条后面，会接着送出"),
    ("a bug", "程序出错了，已经记入日志"),
    ("removed the bot", "顾客删除了机器人"),
    ("refuses messages", "顾客不接收我们的消息"),
    ("blocked", "顾客把我们拉黑了"),
    ("deactivated", "顾客的账号已经注销"),
    ("kicked", "我们已经不在这个群里"),
    ("the group", "我们已经不在这个群里，或者被禁言"),
    ("not a member", "我们已经不在这个群里"),
    ("such group", "这个群已经没有了"),
    ("muted", "我们在群里被禁言了"),
    ("rights", "我们在群里没有发言的权限"),
    ("initiate conversation", "要等顾客先发来消息"),
    ("not found", "平台找不到这位顾客"),
    ("no such user", "平台找不到这位顾客"),
    ("no such customer", "平台找不到这位顾客"),
    ("recipient", "邮箱收不到，请核对地址"),
    ("mail address", "邮箱地址不对"),
    ("review", "内容没有通过平台的审核"),
    ("web address", "里面的链接平台不让发"),
    ("too large", "文件太大"),
    ("too big", "文件太大"),
    ("size refused", "文件太大"),
    ("no more files", "今天能发的文件已经发完了"),
    ("file format", "平台不收这种文件"),
    ("media type", "平台不收这种文件"),
    ("file refused", "平台不收这个文件"),
    ("no longer there", "文件已经不在了"),
    ("public_url", "要先设置 KEFU_PUBLIC_URL 才能发文件"),
    ("too long", "内容太长"),
    ("empty", "内容是空的"),
    ("too many buttons", "按钮太多，平台不收"),
    ("too many menu items", "按钮太多，平台不收"),
    ("too many", "发得太快，平台让我们等一等"),
    ("too fast", "发得太快，平台让我们等一等"),
    ("used up", "今天的次数用完了"),
    ("banned", "账号被平台封禁了"),
    ("network address", "服务器的 IP 不在平台的名单里"),
    ("permi", "账号没有这个权限"),
    ("token", "平台不认我们的凭证，请管理员检查渠道"),
    ("secret", "平台不认我们的凭证，请管理员检查渠道"),
    ("app id", "平台不认我们的凭证，请管理员检查渠道"),
    ("signature", "平台不认我们的凭证，请管理员检查渠道"),
    ("our login", "邮件服务器不认我们的账号"),
    ("answer", "平台没有回应，不确定顾客看到没有"),
    ("connect", "连不上平台"),
    ("busy", "平台正忙"),
    ("trouble", "平台出了问题"),
    ("failed", "平台出了问题"),
)
"""What an error's text holds, and what agents read instead; the first that fits."""


def trouble_text(error: str) -> str:
    """A connector's error as a sentence, its code behind it.

    >>> trouble_text("40054004: the customer removed the bot")
    '顾客删除了机器人（40054004）'
    >>> trouble_text("43004: 顾客取消关注了，或者不收我们的消息")
    '顾客取消关注了，或者不收我们的消息（43004）'
    >>> trouble_text("40034029: too many buttons")
    '按钮太多，平台不收（40034029）'
    >>> trouble_text("-1: who knows")
    '平台没有收下这条消息（-1）'
    """
    found = _CODED.fullmatch(error)
    code, text = (None, error) if found is None else (found["code"], found["text"])
    if not _CHINESE.search(text):
        text = _worded(text) or _REFUSED
    return text if code is None else f"{text}（{code}）"


def delivery_text(state: DeliveryState, error: str | None) -> str | None:
    """What stands beside a message that is not sent; ``None`` where nothing need be said.

    >>> delivery_text(DeliveryState.PENDING, "429")
    '暂时没发出去，会自动再试（429）'
    """
    if not error or state is DeliveryState.SENT:
        return None
    if state is DeliveryState.PENDING and not _CHINESE.search(error):
        return _worded(error) if "waits behind" in error else f"{_AGAIN}（{error[:40]}）"
    return trouble_text(error)


def _worded(text: str) -> str | None:
    small = text.casefold()
    return next((words for phrase, words in _PHRASES if phrase in small), None)
