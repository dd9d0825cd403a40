"""Rules: every time and count of the state machine, with its default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """Times and counts of the state machine; seconds unless the name says otherwise.

    Attributes:
        claim_act_s: A claim that is not acted on for so long goes back to the queue.
        missed_claims_before_away: So many lapsed claims in a row set the agent away.
        first_waiting_notice_s: When a waiting customer first hears how it stands.
        waiting_notice_every_s: And how often after that.
        waiting_notices_max: "Still waiting" notices of one wait, at most.
        live_wait_s: After so long in the live queue the customer is offered choices.
        agent_nudge_s: An agent who does not answer a customer for so long is reminded.
        agent_escalate_s: And after so long the supervisors are.
        customer_silent_s: A customer silent for so long after the agent's last word: it closes.
        closing_notice_s: So long before that closing the customer is told.
        bot_idle_s: Nobody writes to the bot for so long: it closes without a word.
        waiting_idle_s: A waiting customer is silent for so long: it closes without a word.
        external_idle_s: Nobody writes natively for so long: the conversation comes back.
        reopen_s: Within so long after closing the person who had it is looked for first.
        agent_cap: Conversations that one agent is given at once.
        reopens_to_same_agent: Whether that person gets it back without the queue.
        handling_s: What one conversation takes an agent, for the estimate told to the customer.
    """

    claim_act_s: float = 120
    missed_claims_before_away: int = 2
    first_waiting_notice_s: float = 60
    waiting_notice_every_s: float = 120
    waiting_notices_max: int = 3
    live_wait_s: float = 600
    agent_nudge_s: float = 300
    agent_escalate_s: float = 600
    customer_silent_s: float = 1_800
    closing_notice_s: float = 600
    bot_idle_s: float = 1_800
    waiting_idle_s: float = 86_400
    external_idle_s: float = 1_800
    reopen_s: float = 86_400
    agent_cap: int = 5
    reopens_to_same_agent: bool = False
    handling_s: float = 180
