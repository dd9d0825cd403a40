"""The command ``kefu``."""
