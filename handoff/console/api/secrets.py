"""Secrets in messages: shown one at a time, and every look is logged."""

from __future__ import annotations

from handoff.console.actions import Service
from handoff.console.api.routing import Call, Route
from handoff.console.models import Empty, RevealOut


class SecretsApi:
    """Serves ``/secrets``."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[Route]:
        """The routes of this noun."""
        return [
            Route(
                "POST",
                "/secrets/{secret_id}/reveal",
                self.reveal,
                "A secret's value; who looked is logged",
                body=Empty,
                answer=RevealOut,
            )
        ]

    async def reveal(self, call: Call) -> RevealOut:
        """A secret's value."""
        return RevealOut(value=await self._service.reveal(call.agent, call.path("secret_id")))
