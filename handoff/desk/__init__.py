"""The desk: transitions carried out, notices, queue, presence, timers."""
