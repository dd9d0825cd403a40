"""The shop's own app or site: signed HTTP in, a signed webhook out. The protocol is ours."""
