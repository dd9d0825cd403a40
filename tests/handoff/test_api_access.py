"""Who gets in, and what bad requests are told."""

from __future__ import annotations

import io
from typing import Any

import pytest

from handoff.auth.agents import Role, disable_agent
from tests.factories.handoff import PASSWORD
from tests.handoff.console import Browser, Shop


async def test_logging_in_gives_a_strict_http_only_cookie_and_a_csrf_token(shop: Shop) -> None:
    await shop.hires("xiaomei", name="小美")
    browser = await shop.browser()
    async with browser.session.post(
        "/api/v1/session", json={"username": " XiaoMei ", "password": PASSWORD}
    ) as response:
        answer = await response.json()
        cookie = response.cookies["kefu_session"]
    assert answer["agent"]["name"] == "小美"
    assert answer["agent"]["status"] == "online"
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Strict", "")
    assert await browser.get("/session") == answer


@pytest.mark.parametrize("username", ["xiaomei", "nobody"])
async def test_a_wrong_password_says_the_same_whoever_it_is(shop: Shop, username: str) -> None:
    await shop.hires("xiaomei")
    browser = await shop.browser()
    status, answer = await browser.ask(
        "POST", "/session", {"username": username, "password": "wrong horse"}
    )
    assert (status, answer["error"]["code"]) == (401, "wrong_password")
    assert answer["error"]["message"] == "用户名或密码不对"


async def test_after_5_wrong_tries_even_the_right_password_waits_15_min(shop: Shop) -> None:
    await shop.hires("xiaomei")
    browser = await shop.browser()
    for _ in range(5):
        shop.clock.advance(minutes=1)
        status, _ = await try_in(browser, "xiaomei", "wrong horse")
        assert status == 401
    status, answer = await try_in(browser, "xiaomei", PASSWORD)
    assert (status, answer["error"]["code"]) == (429, "locked_out")
    assert answer["error"]["retry_after_s"] == 900
    shop.clock.advance(minutes=15)
    status, _ = await try_in(browser, "xiaomei", PASSWORD)
    assert status == 200


async def test_a_source_that_tries_many_names_is_locked_out_of_all(shop: Shop) -> None:
    await shop.hires("xiaomei")
    browser = await shop.browser()
    for number in range(19):
        await shop.database.write(
            lambda work, name=f"guess{number}": work.sessions.add_attempt(  # type: ignore[misc]
                name, "192.0.2.1", shop.clock()
            )
        )
    status, _ = await try_in(browser, "guess", "wrong horse")
    assert status == 401
    status, _ = await try_in(browser, "xiaomei", PASSWORD)
    assert status == 429


async def test_right_passwords_never_lock_anybody_out(shop: Shop) -> None:
    await shop.hires("xiaomei")
    browser = await shop.browser()
    for _ in range(8):
        status, _ = await try_in(browser, "xiaomei", PASSWORD)
        assert status == 200


async def try_in(browser: Browser, username: str, password: str) -> tuple[int, Any]:
    return await browser.ask("POST", "/session", {"username": username, "password": password})


async def test_nothing_is_told_without_a_login(shop: Shop) -> None:
    browser = await shop.browser()
    for route in shop.api.routes:
        path = route.path.replace("{", "").replace("}", "").replace("_", "")
        if route.needs is None:
            continue
        status, answer = await browser.ask(route.method, path, {} if route.body else None)
        assert (status, answer["error"]["code"]) == (401, "not_logged_in"), path


async def test_a_change_without_the_csrf_token_is_refused(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    conversation, _ = await shop.customer_says("在吗")
    path = f"/conversations/{conversation.id}/messages"
    body = {"client_id": "one", "text": "钓鱼"}
    wrong: list[dict[str, str]] = [{}, {"X-CSRF-Token": "guess"}]
    for headers in wrong:
        status, answer = await browser.ask("POST", path, body, headers=headers)
        assert (status, answer["error"]["code"]) == (403, "csrf")
    foreign = {"X-CSRF-Token": browser.csrf, "Origin": "https://evil.example"}
    status, answer = await browser.ask("POST", path, body, headers=foreign)
    assert (status, answer["error"]["code"]) == (403, "wrong_origin")
    assert len(await shop.transcript(conversation)) == 1


async def test_a_session_ends_after_12_idle_hours_or_7_days(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    for _ in range(14):
        shop.clock.advance(hours=11, minutes=59)
        await browser.get("/session")
    shop.clock.advance(hours=1)
    status, _ = await browser.ask("GET", "/session")
    assert status == 401
    idle, _ = await shop.logged_in("agang")
    shop.clock.advance(hours=12)
    status, _ = await idle.ask("GET", "/session")
    assert status == 401


async def test_logging_out_ends_the_session_on_the_server(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    token = next(one.value for one in browser.session.cookie_jar)
    status, _ = await browser.ask("DELETE", "/session")
    assert status == 204
    status, _ = await browser.ask("GET", "/session", headers={"Cookie": f"kefu_session={token}"})
    assert status == 401


async def test_a_disabled_agent_is_out_at_once_and_cannot_come_back(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    await disable_agent(shop.database, "xiaomei")
    status, _ = await browser.ask("GET", "/session")
    assert status == 401
    status, _ = await try_in(browser, "xiaomei", PASSWORD)
    assert status == 401


async def test_colleagues_see_who_is_there(shop: Shop) -> None:
    mei, mei_agent = await shop.logged_in("xiaomei")
    await shop.hires("agang", Role.ADMIN)
    status, agent = await mei.ask("PUT", "/presence", {"status": "away"})
    assert (status, agent["status"]) == (200, "away")
    agents = {one["username"]: one for one in (await mei.get("/agents"))["items"]}
    assert agents["xiaomei"]["id"] == mei_agent.id
    assert {name: one["status"] for name, one in agents.items()} == {
        "agang": "offline",
        "xiaomei": "away",
    }


async def test_bad_requests_say_what_is_wrong_in_chinese(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    conversation, _ = await shop.customer_says("在吗")
    path = f"/conversations/{conversation.id}/messages"
    token = {"X-CSRF-Token": browser.csrf}

    status, answer = await browser.ask("POST", path, headers=token, data=b"{no json")
    assert (status, answer["error"]["fields"][0]["message"]) == (422, "不是有效的 JSON")
    status, answer = await browser.ask("POST", path, {"text": "x" * 4_001, "txt": 1})
    fields = {one["field"]: one["message"] for one in answer["error"]["fields"]}
    assert (status, fields) == (
        422,
        {"client_id": "必填", "text": "太长了", "txt": "不认识的字段"},
    )
    status, answer = await browser.ask(
        "POST", path, headers=token, data=io.BytesIO(b" " * 1_100_000)
    )
    assert (status, answer["error"]["code"]) == (413, "too_large")
    status, answer = await browser.ask("POST", path, headers=token, data=b"[" * 100_000)
    assert status == 422
    for missing in ("/nothing", "/conversations/nobody", "/conversations/%00", "/media/..%2f"):
        status, answer = await browser.ask("GET", missing)
        assert (status, answer["error"]["code"]) == (404, "not_found"), missing
    status, answer = await browser.ask("GET", "/conversations?view=theirs")
    assert status == 422
    for query in ("before=yesterday", "limit=0", "limit=100000000000000000000"):
        status, _ = await browser.ask("GET", f"/conversations?{query}")
        assert status == 422, query
    status, answer = await browser.ask("DELETE", "/conversations")
    assert (status, answer["error"]["code"]) == (405, "method_not_allowed")


async def test_a_full_disk_is_told_and_nothing_is_lost_by_trying_again(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    conversation, _ = await shop.customer_says("在吗")
    path = f"/conversations/{conversation.id}/messages"
    shop.disk.is_full = True
    status, answer = await browser.ask("POST", path, {"client_id": "one", "text": "在的"})
    assert (status, answer["error"]["code"]) == (503, "storage_unavailable")
    assert answer["error"]["retry_after_s"] > 0
    shop.disk.is_full = False
    assert (await browser.post(path, client_id="one", text="在的"))["text"] == "在的"


def test_each_role_may_do_what_those_below_it_may() -> None:
    assert Role.ADMIN.includes(Role.SUPERVISOR)
    assert Role.SUPERVISOR.includes(Role.AGENT)
    assert not Role.AGENT.includes(Role.SUPERVISOR)


async def test_a_nul_character_is_stored_nowhere(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    conversation, _ = await shop.customer_says("在吗")
    path = f"/conversations/{conversation.id}/messages"
    assert (await browser.post(path, client_id="one", text="好\x00的"))["text"] == "好的"


async def test_openapi_holds_every_route_and_real_answers_have_its_form(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    waiting = await shop.waits_for_a_person()
    document = await browser.get("/openapi.json")
    assert document["openapi"].startswith("3.1")
    told = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert told == {(route.method, "/api/v1" + route.path) for route in shop.api.routes}
    for path in (
        "/session",
        "/agents",
        "/status",
        "/conversations",
        f"/conversations/{waiting.id}",
        f"/conversations/{waiting.id}/messages",
        f"/conversations/{waiting.id}/customer",
    ):
        template = "/api/v1" + path.replace(waiting.id, "{conversation_id}")
        operation = document["paths"][template]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        check(await browser.get(path), schema, document["components"]["schemas"], path)


def check(value: Any, schema: dict[str, Any], definitions: dict[str, Any], where: str) -> None:
    """Hold a value against as much of JSON Schema as pydantic writes for answers."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        options = schema["anyOf"]
        if value is None:
            assert {"type": "null"} in options, where
            return
        schema = next(one for one in options if one != {"type": "null"})
        check(value, schema, definitions, where)
        return
    if "enum" in schema:
        assert value in schema["enum"], where
        return
    match schema["type"]:
        case "object":
            assert set(schema.get("required", ())) <= set(value), where
            assert set(value) <= set(schema["properties"]), where
            for name, one in value.items():
                check(one, schema["properties"][name], definitions, f"{where}.{name}")
        case "array":
            for one in value:
                check(one, schema["items"], definitions, f"{where}[]")
        case kind:
            expected = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
            assert isinstance(value, expected[kind]), where  # type: ignore[arg-type]
