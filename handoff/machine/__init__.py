"""The state machine: who may speak. Pure."""
