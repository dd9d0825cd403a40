"""The shop's own page: a visitor's WebSocket, its HTTP side, and the connector behind both."""
