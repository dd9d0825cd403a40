"""kb.yaml and its includes: read, checked, not yet learnt from."""
