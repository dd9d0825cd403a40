"""A repository per noun."""
