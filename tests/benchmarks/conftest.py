"""The small shop of the knowledge base's own tests."""

from tests.knowledge_base.conftest import cache_dir, small_kb

__all__ = ["cache_dir", "small_kb"]
