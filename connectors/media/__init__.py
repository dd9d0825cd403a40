"""Files of messages: fetching, checking, keeping."""
