"""What is weak in a knowledge base that loads: for ``kefu kb check``."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from knowledge_base.exact import exact_key
from knowledge_base.intent import Intent
from knowledge_base.loader import KnowledgeBase
from knowledge_base.problem import Place
from knowledge_base.recognition import Band
from knowledge_base.templates import SHOP_VARIABLES
from knowledge_base.tool_spec import ToolSpec

ENOUGH_PHRASES = 10
# Two intents are too close when this share of the phrases of one is taken for the other.
_TOO_CLOSE = 0.2
_TOO_CLOSE_PHRASES = 3
_SURELY_WRONG = 0.5


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  # a promise of kb.yaml is broken: exit status 1
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something an admin can improve.

    Attributes:
        place: File and line.
        kind: In a word: "conflict", "repeated", "test_failed", "few_phrases", "dead_synonym",
            "too_close", "misplaced", "dead_phrase".
        text: What is weak.
        hint: What to do.
        severity: How bad it is.
    """

    place: Place
    kind: str
    text: str
    hint: str
    severity: Severity = Severity.WARNING

    def __str__(self) -> str:
        """``kb.yaml:12: what → what to do``."""
        return f"{self.place}: {self.text} → {self.hint}"


def check(kb: KnowledgeBase) -> tuple[Finding, ...]:
    """Everything worth improving, errors first, then by file and line."""
    found = [
        *_claims(kb),
        *_tests(kb),
        *_few_phrases(kb),
        *_dead_synonyms(kb),
        *_left_out(kb),
    ]
    return tuple(sorted(found, key=lambda f: (f.severity is not Severity.ERROR, f.place, f.text)))


def explain(tool: ToolSpec) -> str:
    """A tool's slots, variables and outcomes, for whoever writes answers."""
    lines = [f"工具 {tool.name}", f"需要 (slots): {', '.join(tool.slots) or '–'}"]
    lines.append("变量，在答案里写 {{ 名字 }} (variables):")
    lines += [f"  {name:<22} {words}" for name, words in tool.variables.items()]
    lines += [f"  {name:<22} {words}" for name, words in SHOP_VARIABLES.items()]
    lines.append("结果，可在 outcomes: 里改写说法 (outcomes):")
    lines += [f"  {name:<22} {words}" for name, words in tool.outcomes.items()]
    return "\n".join(lines)


def _claims(kb: KnowledgeBase) -> Iterator[Finding]:
    """Phrases claimed twice: by two intents (they cannot both be right), or by one."""
    normalize = kb.recognizer.normalizer.normalize
    first: dict[str, tuple[Intent, Place]] = {}
    outside = {exact_key(normalize(phrase)): phrase for phrase in kb.source.out_of_scope}
    for intent in kb.intents.values():
        for n, phrase in enumerate(intent.asks):
            key, place = exact_key(normalize(phrase)), kb.places[intent.id, "ask", n]
            if key in outside:
                text = f"“{phrase}” 既是 {intent.id} 的问法，又在 out_of_scope 里 (contradiction)"
                yield Finding(place, "conflict", text, "删掉其中一处", Severity.ERROR)
            claim = (intent, place)
            other, there = first.setdefault(key, claim)
            if first[key] is claim:
                continue
            if other.id != intent.id:
                text = f"“{phrase}” 同时是 {other.id} ({there}) 和 {intent.id} 的问法 (conflict)"
                yield Finding(place, "conflict", text, "只留在一个意图里", Severity.ERROR)
            else:
                text = f"“{phrase}” 与第 {there.line} 行归一后相同 (same phrase)"
                yield Finding(place, "repeated", text, "删掉一条")


def _tests(kb: KnowledgeBase) -> Iterator[Finding]:
    """``test:`` phrases that are taken for another intent, or for nothing."""
    for intent in kb.intents.values():
        asked = {exact_key(kb.recognizer.normalizer.normalize(phrase)) for phrase in intent.asks}
        for n, phrase in enumerate(intent.tests):
            place = kb.places[intent.id, "test", n]
            found = kb.recognizer.recognize(phrase)
            best = found.candidates[0] if found.candidates else None
            if exact_key(kb.recognizer.normalizer.normalize(phrase)) in asked:
                text = f"test “{phrase}” 也在 ask 里，测不出什么 (test phrase is also learnt)"
                yield Finding(place, "test_learnt", text, "从 ask 或 test 中删掉一处")
            if best is None or best.intent != intent.id:
                taken = f"认成了 {best.intent} ({best.confidence:.2f})" if best else "没认出来"
                text = f"test “{phrase}” 应是 {intent.id}，{taken} (wrongly recognised)"
                hint = f"给 {intent.id} 的 ask 加几条类似的说法"
                yield Finding(place, "test_failed", text, hint, Severity.ERROR)
            elif found.band is Band.MISS:
                text = f"test “{phrase}” 把握太小 ({best.confidence:.2f})，不会回答 (too unsure)"
                hint = f"给 {intent.id} 的 ask 加几条类似的说法"
                yield Finding(place, "test_failed", text, hint, Severity.ERROR)


def _few_phrases(kb: KnowledgeBase) -> Iterator[Finding]:
    for intent in kb.intents.values():
        if len(intent.asks) < ENOUGH_PHRASES and not intent.patterns:
            text = f"意图 {intent.id} 只有 {len(intent.asks)} 条问法 (few phrases)"
            hint = f"写到 {ENOUGH_PHRASES} 条以上，用客人的原话；每多 5 条，认得准 6–10 个百分点"
            yield Finding(intent.place, "few_phrases", text, hint)


def _dead_synonyms(kb: KnowledgeBase) -> Iterator[Finding]:
    """Groups that change nothing: no phrase contains the head or any other word of the group."""
    plain = "\n".join(phrase for phrase, _ in kb.material.phrases)
    normalize = kb.recognizer.normalizer.normalize
    home: dict[str, int] = {}
    for n, group in enumerate(kb.source.synonyms):
        place = kb.places["", "synonyms", n]
        head = normalize(group[0])
        if len(group) == 1:
            text = f"同义词 “{group[0]}” 只有一个词 (nothing to replace)"
            yield Finding(place, "dead_synonym", text, "写成 [标准词, 别的说法, …]")
        elif head not in plain:
            text = f"没有问法用到同义词 “{group[0]}” 这一组 (dead synonyms)"
            yield Finding(place, "dead_synonym", text, "删掉，或在 ask 里用上这个词")
        for word in group:
            other = home.setdefault(exact_key(word.casefold()), n)
            if other != n:
                text = f"“{word}” 也在另一组同义词里 ({kb.places['', 'synonyms', other]})"
                yield Finding(place, "dead_synonym", text, "只留在一组里")


def _left_out(kb: KnowledgeBase) -> Iterator[Finding]:
    """What cross-validation says: phrases nearer to another intent, and intents too close."""
    trial, names = kb.recognizer.model.trial, kb.material.intents
    normalize = kb.recognizer.normalizer.normalize
    places: dict[tuple[str, str], Place] = {}
    for intent in kb.intents.values():
        for n, phrase in enumerate(intent.asks):
            places.setdefault((normalize(phrase), intent.id), kb.places[intent.id, "ask", n])
    confused: Mapping[tuple[str, str], list[str]] = defaultdict(list)
    sizes = Counter(names[number] for _, number in kb.material.phrases)
    for n, (phrase, number) in enumerate(kb.material.phrases):
        taken = names[int(trial.best[n])]
        if taken == names[number]:
            continue
        confused[names[number], taken].append(phrase)
        if trial.confidence[n] >= _SURELY_WRONG:
            text = (
                f"{names[number]} 的 “{phrase}” 单独拿出来会认成 {taken} "
                f"({trial.confidence[n]:.2f}) (recognised as another intent when left out)"
            )
            hint = "放错了就移过去；没放错就在两边各补几条说法，或写进对方的 not"
            yield Finding(places[phrase, names[number]], "misplaced", text, hint)
    for (wanted, taken), phrases in confused.items():
        if len(phrases) >= max(_TOO_CLOSE_PHRASES, _TOO_CLOSE * sizes[wanted]):
            text = (
                f"{wanted} 和 {taken} 太近: {sizes[wanted]} 条里有 {len(phrases)} 条会认错，"
                f"如 “{phrases[0]}” (too close)"
            )
            hint = "合并成一个，或写出区别明显的说法"
            place = next(i.place for i in kb.intents.values() if i.id == wanted)
            yield Finding(place, "too_close", text, hint)
