"""A faithful WeCom customer service, for tests and for trying things by hand."""

from devkit.wecom.platform import FakeWeComKF

__all__ = ["FakeWeComKF"]
