"""The connectors in use, by channel and account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.messages import Address, Connector

Account = tuple[str, str]


class Connectors(Mapping[Account, Connector]):
    """Finds the connector of a channel's account.

    It is the one part that is filled after it has been given to others: a connector is made with
    the inbox that it fills, the inbox with the turns that it wakes, and what turns say is
    delivered by connectors. All are added before the first message.
    """

    def __init__(self) -> None:
        self._by_account: dict[Account, Connector] = {}

    def add(self, connector: Connector) -> None:
        """Let messages to this account go out by this connector."""
        self._by_account[connector.ref.channel, connector.ref.account_id] = connector

    def __getitem__(self, account: Account) -> Connector:
        return self._by_account[account]

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_account)

    def __len__(self) -> int:
        return len(self._by_account)

    def of(self, address: Address) -> Connector | None:
        """Return the connector that reaches this address, or ``None``."""
        return self._by_account.get((address.ref.channel, address.ref.account_id))

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:
        """Show the customer that somebody writes, where the channel can."""
        connector = self.of(address)
        if connector is not None:
            await connector.typing(address, author, is_on=is_on)

    def merges_replies(self, address: Address) -> bool:
        """Return whether several replies of a turn go to this address as one message."""
        connector = self.of(address)
        return connector is not None and connector.capabilities.merges_replies
