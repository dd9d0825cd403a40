"""Who may speak: conversations, queue, agents and the console's API."""
