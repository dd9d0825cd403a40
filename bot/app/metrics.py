"""Figures for /metrics, on a registry of their own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.turn.commit import Outcome
from handoff.model.inbound import Stored

_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Counts what happens; holds no text and no identity."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = Counter(
            "kefu_messages_received",
            "Customers' messages stored",
            ["channel"],
            registry=self.registry,
        )
        self.turns = Counter(
            "kefu_turns", "Turns by what the bot did", ["action"], registry=self.registry
        )
        self.handoffs = Counter(
            "kefu_handoffs", "Conversations handed to a person", ["reason"], registry=self.registry
        )
        self.turn_s = Histogram(
            "kefu_turn_seconds",
            "From taking a message up to its decision",
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.sent = Gauge("kefu_messages_sent", "Messages delivered", registry=self.registry)
        self.failed = Gauge("kefu_messages_failed", "Messages given up", registry=self.registry)
        self.waiting = Gauge("kefu_queue_length", "Waiting customers", registry=self.registry)
        self.pages = Gauge("kefu_web_pages", "Open chat pages", registry=self.registry)
        self.channel_up = Gauge(
            "kefu_channel_up",
            "1 if a channel's account is well, 0.5 if it has trouble, 0 if it is down",
            ["channel", "account"],
            registry=self.registry,
        )
        self.channel_heard = Gauge(
            "kefu_channel_last_inbound_timestamp_seconds",
            "When an account last received something",
            ["channel", "account"],
            registry=self.registry,
        )
        self.held = Gauge(
            "kefu_messages_held",
            "Messages that wait until their customer writes again",
            ["channel", "account"],
            registry=self.registry,
        )
        self.kb_ok = Gauge(
            "kefu_kb_ok", "1 if the newest kb.yaml is in use", registry=self.registry
        )

    def stored(self, message: Stored) -> None:
        """Count a customer's message."""
        self.received.labels(message.conversation.address.ref.channel).inc()

    def turn(self, outcome: Outcome) -> None:
        """Count a committed turn."""
        for action in outcome.reasons.actions:
            self.turns.labels(action).inc()
        if outcome.plan.handoff is not None:
            self.handoffs.labels(outcome.plan.handoff.value).inc()
        self.turn_s.observe(outcome.took_ms / 1000)

    def text(self) -> bytes:
        """Return all figures in Prometheus's text format."""
        return generate_latest(self.registry)
