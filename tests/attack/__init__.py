"""Attacks on a real server of our own, on this machine: what a stranger gets, and who starves."""
