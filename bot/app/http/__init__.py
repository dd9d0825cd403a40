"""The rim of the HTTP server: sources, connections, odd requests, headers."""
