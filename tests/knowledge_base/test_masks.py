import pytest

from knowledge_base.text.masks import (
    AMOUNT,
    CARD,
    LINK,
    MAIL,
    ORDER,
    PHONE,
    masked,
)
from knowledge_base.text.normalize import Normalizer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("单号DD-4K8ZP-92MQX-7T1VC-H60RA还没到", f"单号{ORDER}还没到"),
        ("ABCD-EFGH-1234-5678 用不了", f"{CARD} 用不了"),
        ("我手机13812345678没充上", f"我手机{PHONE}没充上"),
        ("发到 a.b@example.com 吧", f"发到 {MAIL} 吧"),
        ("扣了我１００块", f"扣了我{AMOUNT}"),
        ("点这里 https://example.com/a?b=1 领奖", f"点这里 {LINK} 领奖"),
        ("等了2个小时", "等了2个小时"),
        ("steam 24小时客服", "steam 24小时客服"),
    ],
)
def test_what_differs_from_message_to_message_becomes_one_sign(text: str, expected: str) -> None:
    assert masked(text) == expected


def test_messages_that_differ_in_their_numbers_only_are_the_same_to_recognition() -> None:
    normalize = Normalizer().normalize
    one = normalize("订单DD-4K8ZP-92MQX-7T1VC-H60RA花了50元")
    assert one == normalize("订单 DD-00000-11111-22222-33333 花了 128.5元".replace(" ", ""))
