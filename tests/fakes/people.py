"""What each platform calls a customer of ours, so that what was stored is found again."""

from __future__ import annotations

from tests.fakes.app import FakeShopApp
from tests.fakes.onebot import FakeOneBot
from tests.fakes.platform import FakePlatform
from tests.fakes.qq import FakeQQOpen
from tests.fakes.telegram import FakeTelegram
from tests.fakes.wechat.people import openid_of
from tests.fakes.wecom import FakeWeComKF


def user_id(platform: FakePlatform, user: str) -> str:
    """The id under which kefu knows this customer."""
    match platform:
        case FakeTelegram():
            return str(platform.state.user_id(user))
        case FakeWeComKF():
            return platform.external_userid(user)
        case FakeOneBot():
            return str(platform.number(user))
        case FakeQQOpen():
            return platform.user_openid(user)
        case FakeShopApp():
            return platform.user_id(user)
    return openid_of(user) if platform.channel == "wechat" else user
