"""Building blocks that connectors share."""
