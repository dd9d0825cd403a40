"""A faithful WeCom customer service, for tests and for trying things by hand."""

from tests.fakes.wecom.platform import FakeWeComKF

__all__ = ["FakeWeComKF"]
