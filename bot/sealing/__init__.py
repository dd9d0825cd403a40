"""Secrets in what customers write: found, and sealed before anything is stored."""
