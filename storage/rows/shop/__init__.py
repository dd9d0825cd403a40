"""Repositories of the embedded shop."""
