"""The channel-neutral edge: messages in and out, and one module per channel."""
