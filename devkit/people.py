"""What each platform calls a customer of ours, so that what was stored is found again."""

from __future__ import annotations

from devkit.app import FakeShopApp
from devkit.onebot import FakeOneBot
from devkit.platform import FakePlatform
from devkit.qq import FakeQQOpen
from devkit.telegram import FakeTelegram
from devkit.wechat.people import openid_of
from devkit.wecom import FakeWeComKF


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
