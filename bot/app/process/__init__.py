"""The process: its data folder, lock, clock, logs and end."""
