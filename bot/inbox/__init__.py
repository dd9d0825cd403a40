"""The inbox: messages and channel events are stored before they are acknowledged."""
