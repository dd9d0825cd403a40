"""QQ's official bot (q.qq.com): events by webhook, messages by its HTTP API."""
