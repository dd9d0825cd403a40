"""The console's HTTP and WebSocket API, a module per noun."""
