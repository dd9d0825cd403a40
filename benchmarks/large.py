"""A knowledge base larger than the shipped one, made of real phrases."""

from __future__ import annotations

from collections import defaultdict

from benchmarks.sets import labelled_set

INTENTS = 300
PHRASES_EACH = 30


def large_kb() -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """300 intents × 30 phrases, and utterances that are none of these phrases.

    All intents of CLINC150, BANKING77 and the shipped kb.yaml that have thirty phrases, their test
    utterances included (150 + 77 + 50); then, up to 300, intents of kb.yaml once more with thirty
    other phrases. Those overlap on purpose: intents that cannot be told apart are what takes a fit
    longest. So three quarters of the phrases are English, which have three times the features of
    Chinese ones: a Chinese knowledge base of this size is cheaper.

    Returns:
        (phrase, intent) of each phrase, and what was left over.
    """
    by_intent: dict[str, list[str]] = defaultdict(list)
    said: list[str] = []
    for name in ("customers", "clinc150", "banking77"):
        labelled = labelled_set(name)
        for phrase, intent in labelled.phrases:
            by_intent[f"{name}_{intent}"].append(phrase)
        for case in labelled.tests:
            if name == "customers" or not case.intents:
                said.append(case.text)
            else:
                by_intent[f"{name}_{case.intents[0]}"].append(case.text)
    thirties: list[dict[str, list[str]]] = [{}, {}]
    for intent, texts in by_intent.items():
        distinct = list(dict.fromkeys(texts))
        for turn, those in enumerate(thirties):
            those[f"{intent}_{turn}"] = distinct[turn * PHRASES_EACH : (turn + 1) * PHRASES_EACH]
    whole = {
        intent: texts
        for those in thirties
        for intent, texts in those.items()
        if len(texts) == PHRASES_EACH
    }
    taken = list(whole.items())[:INTENTS]
    learnt = {text for _, texts in taken for text in texts}
    said += [text for texts in by_intent.values() for text in texts]
    phrases = tuple((text, intent) for intent, texts in taken for text in texts)
    return phrases, tuple(dict.fromkeys(text for text in said if text not in learnt))
