"""The account that a new kefu is entered by."""

from __future__ import annotations

import secrets
from datetime import datetime

from pydantic import SecretStr

from bot.app.demo import demo_password
from bot.app.settings import Settings
from handoff.auth.agents import Role, add_agent
from handoff.auth.passwords import is_right
from storage.storage import Storage


async def first_admin(
    storage: Storage, settings: Settings, now: datetime, *, is_demo: bool
) -> str | None:
    """Make ``admin`` where there is nobody yet.

    A demo's password follows from its seed, so that every start can say it again.

    Returns:
        The password that was made up, if it is valid; else ``None``.
    """
    configured = settings.admin_password
    made = demo_password(settings.data_dir) if is_demo else secrets.token_urlsafe(9)
    if await storage.read(lambda work: work.agents.all()):
        found = await storage.read(lambda work: work.agents.credentials("admin"))
        password = configured or SecretStr(made)
        is_same = is_demo and found is not None and await is_right(password, found.password_hash)
        return made if is_same and configured is None else None
    await add_agent(
        storage,
        username="admin",
        name="客服",
        role=Role.ADMIN,
        password=configured or SecretStr(made),
        now=now,
    )
    return made if configured is None else None
