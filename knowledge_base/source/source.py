"""kb.yaml and the files that it includes, merged and checked, but not yet learnt from."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.problem import Place, Problem, problem_at
from knowledge_base.source.document import Document, DocumentPath, read_document
from knowledge_base.source.hours import parse_hours
from knowledge_base.source.intent import (
    Handoff,
    Intent,
    IntentId,
    Outcome,
    PolicySettings,
    Privacy,
    ShopInfo,
)
from knowledge_base.source.schema import (
    IncludedFile,
    IntentPart,
    KnowledgeBaseFile,
    ThresholdsPart,
    validate,
)
from knowledge_base.source.templates import SHOP_VARIABLES, did_you_mean, template_problems
from knowledge_base.source.tool_spec import ToolSpec

# (intent or "", key, position in its list) → where it stands. "" is the file's top level.
Places = Mapping[tuple[str, str, int], Place]
_OUTSIDE = "在知识库的文件夹外面 (outside the folder)，请放到 kb.yaml 旁边"
_TRUE, _FALSE = ("true", "yes", "是"), ("false", "no", "否")


@dataclass(frozen=True, slots=True)
class Source:
    """Contents of the files of a knowledge base, checked.

    Attributes:
        shop: The shop.
        intents: In the order in which they are written.
        synonyms: Groups; the first word of each stands for the others.
        out_of_scope: Phrases that nothing should answer.
        not_ours: Things that are not the shop's.
        background: The shop's own everyday phrases, in addition to ours.
        thresholds: What the admin fixed; ``None`` parts are chosen by cross-validation.
        policy: When the bot gives up.
        places: Line of every phrase.
        files: Every file read, the main one first.
        content_hash: SHA-256 over the files' bytes, hexadecimal.
    """

    shop: ShopInfo
    intents: Mapping[IntentId, Intent]
    synonyms: tuple[tuple[str, ...], ...]
    out_of_scope: tuple[str, ...]
    not_ours: tuple[str, ...]
    background: tuple[str, ...]
    thresholds: ThresholdsPart
    policy: PolicySettings
    places: Places
    files: tuple[Path, ...]
    content_hash: str


def read_source(path: Path, tools: Mapping[str, ToolSpec]) -> Source:
    """Read kb.yaml with everything it includes.

    Args:
        path: The main file.
        tools: What ``tool:`` may name.

    Raises:
        KnowledgeBaseError: With every problem found, not only the first.
    """
    main_document = read_document(path)
    main = validate(main_document, KnowledgeBaseFile)
    if isinstance(main, list):
        raise KnowledgeBaseError(main)
    problems: list[Problem] = []
    parts: list[tuple[Document, IncludedFile]] = [(main_document, main)]
    for file in _included(main, main_document, problems):
        try:
            document = read_document(file)
        except KnowledgeBaseError as error:
            problems.extend(error.problems)
            continue
        part = validate(document, IncludedFile)
        if isinstance(part, list):
            problems.extend(part)
        else:
            parts.append((document, part))
    # With a file missing, every reference into it would be one more problem: those say nothing.
    is_whole = not problems
    intents, homes = _intents(parts, problems)
    problems.extend(_shop_problems(main, main_document))
    folder = main_document.file.parent
    for intent_id in intents:
        problems.extend(_intent_problems(intents[intent_id], homes[intent_id], tools, folder))
    if is_whole:
        problems.extend(_reference_problems(main, main_document, intents, homes))
    shop = _shop(main, main_document, problems)
    if problems or shop is None:
        raise KnowledgeBaseError(problems)
    files = tuple(document.file for document, _ in parts)
    return Source(
        shop=shop,
        intents=intents,
        synonyms=tuple(tuple(group) for _, part in parts for group in part.synonyms),
        out_of_scope=tuple(phrase for _, part in parts for phrase in part.out_of_scope),
        not_ours=tuple(word for _, part in parts for word in part.not_ours),
        background=tuple(phrase for _, part in parts for phrase in part.background),
        thresholds=main.thresholds,
        policy=PolicySettings(**main.policy.model_dump()),
        places=_places(parts),
        files=files,
        content_hash=hashlib.sha256(
            "".join(document.sha256 for document, _ in parts).encode()
        ).hexdigest(),
    )


def _included(
    main: KnowledgeBaseFile, document: Document, problems: list[Problem]
) -> Iterator[Path]:
    """Files that ``include:`` names, each once, globs in order of name."""
    folder = document.file.parent
    seen = {document.file.resolve()}
    for n, pattern in enumerate(main.include):
        place = document.place(("include", n))
        if Path(pattern).is_absolute():
            problems.append(problem_at(place, f"“{pattern}” 要写相对路径 (relative path)"))
            continue
        if os.path.normpath(pattern).startswith(".."):
            # not even looked at: a pattern could list the whole disk
            problems.append(problem_at(place, f"“{pattern}” {_OUTSIDE}"))
            continue
        found = sorted(folder.glob(pattern))
        if not found:
            hint = f"路径从 {folder} 算起 (relative to this file)"
            problems.append(problem_at(place, f"找不到文件 “{pattern}” (no such file)", hint))
        for file in found:
            problem = _file_problem(file, folder)
            if problem is not None:
                problems.append(problem_at(place, f"“{pattern}”：{file.name} {problem}"))
            elif file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _file_problem(file: Path, folder: Path) -> str | None:
    """Explain why a file that kb.yaml names may not be read; ``None`` if it may.

    Whoever edits the knowledge base need not be allowed to read everything that kefu can.
    """
    try:
        if not file.resolve().is_relative_to(folder.resolve()):
            return _OUTSIDE
        return None if file.is_file() else "不是文件 (no file)"
    except (OSError, RuntimeError):  # a link that leads back to itself
        return "打不开 (cannot be opened)"


@dataclass(frozen=True, slots=True)
class _Home:
    """Document and part in which an intent was written."""

    document: Document
    part: IntentPart

    def place(self, intent_id: str, *path: str | int) -> Place:
        inside: DocumentPath = ("intents", intent_id, *path)
        return self.document.place(inside)


def _intents(
    parts: list[tuple[Document, IncludedFile]], problems: list[Problem]
) -> tuple[dict[IntentId, Intent], dict[IntentId, _Home]]:
    intents: dict[IntentId, Intent] = {}
    homes: dict[IntentId, _Home] = {}
    for document, file in parts:
        for name, part in file.intents.items():
            intent_id = IntentId(name)
            home = _Home(document, part)
            if intent_id in homes:
                first = homes[intent_id].place(name)
                text = f"意图 “{name}” 写了两次，第一次在 {first} (intent defined twice)"
                problems.append(problem_at(home.place(name), text, "合并，或换一个编号"))
                continue
            homes[intent_id] = home
            intents[intent_id] = _intent(intent_id, home)
    return intents, homes


def _intent(intent_id: IntentId, home: _Home) -> Intent:
    part = home.part
    handoff = None
    if part.handoff is not None and part.handoff.casefold() not in _FALSE:
        handoff = Handoff(None if part.handoff.casefold() in _TRUE else part.handoff)
    return Intent(
        id=intent_id,
        title=part.title,
        asks=tuple(part.ask),
        answers=tuple(part.answer),
        answers_en=tuple(part.en),
        answers_by_channel={name: tuple(texts) for name, texts in part.channels.items()},
        tool=part.tool,
        handoff=handoff,
        then=tuple(IntentId(name) for name in part.then),
        images=tuple(home.document.file.parent / name for name in part.images),
        outcomes={name: Outcome(said.text, said.en) for name, said in part.outcomes.items()},
        tests=tuple(part.test),
        nots=tuple(part.nots),
        patterns=tuple(part.patterns),
        wants_evidence=part.evidence,
        place=home.place(intent_id),
    )


def _reference_problems(
    main: KnowledgeBaseFile,
    document: Document,
    intents: Mapping[IntentId, Intent],
    homes: Mapping[IntentId, _Home],
) -> Iterator[Problem]:
    """Names of intents that do not exist."""
    for n, name in enumerate(main.shop.welcome_buttons):
        if name not in intents:
            place = document.place(("shop", "welcome_buttons", n))
            text = f"welcome_buttons 里没有意图 “{name}” (unknown intent)"
            yield problem_at(place, text, did_you_mean(name, intents))
    for intent in intents.values():
        for n, target in enumerate(intent.then):
            if target not in intents:
                place = homes[intent.id].place(intent.id, "then", n)
                text = f"意图 {intent.id}: then 里没有意图 “{target}” (unknown intent)"
                yield problem_at(place, text, did_you_mean(target, intents))
    if not intents:
        yield problem_at(document.place(("intents",)), "没有意图 (no intents)", "至少写一个意图")


def _intent_problems(
    intent: Intent, home: _Home, tools: Mapping[str, ToolSpec], folder: Path
) -> Iterator[Problem]:
    intent_id, where = intent.id, f"意图 {intent.id}: "
    ways = [intent.tool, intent.handoff, intent.answers if not intent.tool else None]
    if sum(bool(way) for way in ways) != 1:
        text = f"{where}answer / tool / handoff 要有而且只有一个 (exactly one)"
        hint = "加上 “answer: …”" if not any(ways) else "只留一个 (tool 可以另带 answer)"
        yield problem_at(intent.place, text, hint)
    for n, image in enumerate(intent.images):
        problem = _file_problem(image, folder)
        if problem is not None and image.exists():
            text = f"{where}图片 “{home.part.images[n]}” {problem}"
            yield problem_at(home.place(intent_id, "images", n), text)
        elif problem is not None:
            text = f"{where}找不到图片 “{home.part.images[n]}” (no such file)"
            hint = f"路径从 {home.document.file.parent} 算起"
            yield problem_at(home.place(intent_id, "images", n), text, hint)
    tool = tools.get(intent.tool) if intent.tool else None
    if intent.tool and tool is None:
        text = f"{where}没有工具 “{intent.tool}” (unknown tool)"
        hint = did_you_mean(intent.tool, tools)
        yield problem_at(home.place(intent_id, "tool"), text, hint)
    for name in intent.outcomes:
        if tool is None and not intent.tool:
            text = f"{where}outcomes 只用于 tool 意图 (only with a tool)"
            yield problem_at(home.place(intent_id, "outcomes"), text, "删掉，或加上 tool")
            break
        if tool is not None and name not in tool.outcomes:
            text = f"{where}工具 {tool.name} 没有结果 “{name}” (unknown outcome)"
            hint = did_you_mean(name, tool.outcomes)
            yield problem_at(home.place(intent_id, "outcomes", name), text, hint)
    if intent.tool is None or tool is not None:
        variables = {**SHOP_VARIABLES, **(tool.variables if tool else {})}
        yield from _template_problems(intent, home, variables)


def _template_problems(
    intent: Intent, home: _Home, variables: Mapping[str, str]
) -> Iterator[Problem]:
    templates: list[tuple[DocumentPath, str]] = []
    templates += [(("answer", n), text) for n, text in enumerate(intent.answers)]
    templates += [(("en", n), text) for n, text in enumerate(intent.answers_en)]
    for channel, texts in intent.answers_by_channel.items():
        templates += [(("channels", channel, n), text) for n, text in enumerate(texts)]
    for name, outcome in intent.outcomes.items():
        templates.append((("outcomes", name, "text"), outcome.text))
        templates.append((("outcomes", name, "en"), outcome.en or ""))
    if intent.handoff is not None and intent.handoff.text:
        templates.append((("handoff",), intent.handoff.text))
    for path, template in templates:
        for line, text, hint in template_problems(template, variables):
            place = home.document.place_in_text(("intents", intent.id, *path), line)
            yield problem_at(place, f"意图 {intent.id}: {text}", hint)


def _shop_problems(main: KnowledgeBaseFile, document: Document) -> Iterator[Problem]:
    for line, text, hint in template_problems(main.shop.welcome or "", SHOP_VARIABLES):
        yield problem_at(document.place_in_text(("shop", "welcome"), line), text, hint)
    answer, clarify = main.thresholds.answer, main.thresholds.clarify
    if answer is not None and clarify is not None and clarify > answer:
        place = document.place(("thresholds", "clarify"))
        yield problem_at(place, f"clarify {clarify} 大于 answer {answer}", "clarify 要小于 answer")


def _shop(main: KnowledgeBaseFile, document: Document, problems: list[Problem]) -> ShopInfo | None:
    part = main.shop
    try:
        zone = ZoneInfo(part.timezone)
    except (KeyError, ValueError, OSError):  # zoneinfo opens a folder for names such as "Asia"
        place = document.place(("shop", "timezone"))
        text = f"没有时区 “{part.timezone}” (unknown time zone)"
        problems.append(problem_at(place, text, "例: Asia/Shanghai"))
        return None
    try:
        hours = parse_hours(part.hours, zone, part.holidays)
    except ValueError as error:
        key = "holidays" if "holiday" in str(error) else "hours"
        problems.append(problem_at(document.place(("shop", key)), str(error)))
        return None
    return ShopInfo(
        name=part.name,
        zone=zone,
        hours=hours,
        welcome=part.welcome,
        welcome_buttons=tuple(IntentId(name) for name in part.welcome_buttons),
        service_email=part.service_email,
        website=part.website,
        privacy=None if part.privacy is None else Privacy(**part.privacy.model_dump()),
    )


def _places(parts: list[tuple[Document, IncludedFile]]) -> Places:
    """Lines of phrases. Top-level lists of several files are counted on, as they are merged."""
    places: dict[tuple[str, str, int], Place] = {}
    counts = dict.fromkeys(("synonyms", "out_of_scope", "not_ours", "background"), 0)
    for document, part in parts:
        for key, before in counts.items():
            length = len(getattr(part, key))
            for n in range(length):
                places["", key, before + n] = document.place((key, n))
            counts[key] = before + length
        for name, intent in part.intents.items():
            lists = {"ask": intent.ask, "test": intent.test, "not": intent.nots}
            for key, phrases in {**lists, "patterns": intent.patterns}.items():
                for n in range(len(phrases)):
                    places.setdefault((name, key, n), document.place(("intents", name, key, n)))
    return places
