"""Cutting a message into clauses, and finding the question among the politeness."""

import re
from dataclasses import dataclass

from knowledge_base.text.normalize import Normalize

# Where somebody says that another question follows.
_FOLLOWS = (
    r"(?=(?<![就要再能])另外|还有就是|還有就是|还有个|還有個|顺便问|順便問|对了|對了|再问|再問|"
    r"\band also\b|\balso,)"
)
_NEXT = re.compile(_FOLLOWS)
MAX_CLAUSES = 32
"""What follows the 31st is taken for one clause: more is a paste, and each is folded by itself."""
_MARKED = re.compile(r"[^?？]+[?？]*")
# A clause ends there, at punctuation, a new line, or a space between Chinese characters.
_ENDS = re.compile(
    r"[。！？!?；;…~～\n\r，,、]+|\.(?=\s|$)|(?<=[^\x00-\x7f])[ \u3000]+(?=[^\x00-\x7f])|"
    + _FOLLOWS
)
# Atomic and possessive: 「谢谢了」 can be read in two ways, and n of them in 2ⁿ.
_POLITE = re.compile(
    r"(?>你好|您好|妳好|哈喽|哈啰|嗨|在吗|在么|在不在|有人吗|亲|亲亲|老板|客服|店家|掌柜|小哥|小姐姐|"
    r"师傅|同志|大哥|大姐|美女|帅哥|"
    r"早上好|上午好|中午好|下午好|晚上好|大家好|打扰了?|打扰一下|不好意思|抱歉|劳驾|"
    r"请问(?:一下)?|问一下|我想问(?:一下|问)?|想问(?:一下|问)?|问个问题|咨询(?:一下|个事)?|我问一下|"
    r"麻烦(?:您|你)?(?:了|帮忙看看|帮我看看|看一下|帮忙看一下|帮忙)?|帮忙看看|帮我看看|"
    r"谢谢(?:您|你|了|啦|老板)?|多谢|感谢|辛苦了?|拜托了?|谢啦|唔该(?:晒)?|"
    r"hi|hello|hey|dear|sir|please|pls|plz|thanks|thank you|thx|sorry|excuse me|"
    r"good (?:morning|evening|afternoon)|一下|啊|呀|哦|哈|呢|吧|的|了|[\s\W])++"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a message.

    Attributes:
        text: Original wording, stripped.
        normalized: What recognition compares.
    """

    text: str
    normalized: str


def clauses(text: str, normalize: Normalize) -> tuple[Clause, ...]:
    """The clauses of a message that say something: greetings and thanks are left out.

    Nothing is left of a message that is polite and no more.
    """
    parts = (part.strip() for part in _ENDS.split(text, MAX_CLAUSES - 1))
    made = (Clause(part, normalize(part)) for part in parts if part)
    return tuple(
        clause for clause in made if clause.normalized and not is_polite(clause.normalized)
    )


def announced(text: str) -> tuple[str, ...]:
    """A message cut where it says that something else follows; whole, if it never does.

    >>> announced("卡密无效。另外你们几点下班")
    ('卡密无效。', '另外你们几点下班')
    """
    return tuple(part.strip() for part in _NEXT.split(text) if part.strip()) or (text,)


def asked(text: str) -> tuple[str, ...]:
    """A message cut after its question marks.

    >>> asked("卡密在哪看？多久发货？")
    ('卡密在哪看？', '多久发货？')
    """
    return tuple(part.strip() for part in _MARKED.findall(text) if part.strip())


def is_polite(normalized: str) -> bool:
    """Tell whether a normalised text holds nothing but politeness.

    >>> is_polite("你好在吗"), is_polite("你好怎么退款")
    (True, False)
    """
    return _POLITE.fullmatch(normalized) is not None
