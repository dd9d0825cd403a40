"""Judging a knowledge base: checks, figures, missed questions."""
