"""The console: what agents see and do."""
