"""Fuzzing by coverage: everything that reads what strangers wrote."""
