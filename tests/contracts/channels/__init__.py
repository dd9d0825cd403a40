"""Forty cases that every channel keeps, each mode of each connector beside its faithful fake."""
