"""Tests: they mirror the folders."""
