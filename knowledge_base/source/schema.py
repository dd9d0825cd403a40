"""kb.yaml's format as pydantic models, and its errors in words that an admin can act on."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)
from rapidfuzz import fuzz, process

from knowledge_base.problem import Problem, problem_at
from knowledge_base.source.document import Document, DocumentPath
from knowledge_base.source.patterns import BadPattern, compiled
from knowledge_base.source.templates import did_you_mean


def _as_list(value: Any) -> Any:
    """Take one text where a list may stand as a list of one, and nothing as an empty one."""
    return [value] if isinstance(value, str) else [] if value is None else value


def _as_mapping(value: Any) -> Any:
    return {} if value is None else value


def _as_outcome(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000)]
Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Id = Annotated[str, StringConstraints(pattern=r"^[^\s|,:]{1,80}$")]
Texts = Annotated[list[Text], BeforeValidator(_as_list)]
Phrases = Annotated[list[Phrase], BeforeValidator(_as_list)]
Ids = Annotated[list[Id], BeforeValidator(_as_list)]


class _Part(BaseModel):
    """Base of all parts: no key that we do not know, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OutcomePart(_Part):
    """The shop's own wording of an outcome."""

    text: Text
    en: Text | None = None


class IntentPart(_Part):
    """One entry of ``intents:``."""

    title: Text
    ask: Phrases = []
    answer: Texts = []
    en: Texts = []
    tool: Text | None = None
    handoff: Text | None = None
    channels: Annotated[dict[str, Texts], BeforeValidator(_as_mapping)] = {}
    images: Texts = []
    then: Ids = []
    nots: Phrases = Field(default=[], alias="not")
    patterns: Phrases = []
    test: Phrases = []
    outcomes: Annotated[
        dict[str, Annotated[OutcomePart, BeforeValidator(_as_outcome)]],
        BeforeValidator(_as_mapping),
    ] = {}
    evidence: bool = False

    @field_validator("patterns")
    @classmethod
    def _patterns_compile(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                compiled(pattern)
            except BadPattern as error:
                raise ValueError(
                    f"正则写错了 (bad regular expression) {pattern!r}: {error}"
                ) from error
        return patterns


class PrivacyPart(_Part):
    """``privacy:``; where a text alone stands, it is the Chinese one."""

    text: Text
    en: Text | None = None
    url: Text | None = None

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[^\s<>\"]+", url):
            raise ValueError(f"“{url[:40]}” 不是网址 (no address)，要以 https:// 开头")
        return url


class ShopPart(_Part):
    """``shop:``."""

    name: Text
    timezone: Text = "Asia/Shanghai"
    hours: Text = "每天 09:00-23:00"
    holidays: Annotated[dict[str, Text], BeforeValidator(_as_mapping)] = {}
    welcome: Text | None = None
    welcome_buttons: Ids = []
    service_email: Text | None = None
    website: Text | None = None
    privacy: Annotated[PrivacyPart, BeforeValidator(_as_outcome)] | None = None


class ThresholdsPart(_Part):
    """``thresholds:``; what is left out is chosen by cross-validation."""

    answer: Annotated[float, Field(ge=0, le=1)] | None = None
    clarify: Annotated[float, Field(ge=0, le=1)] | None = None


class PolicyPart(_Part):
    """``policy:``."""

    misses_before_handoff: Annotated[int, Field(ge=1, le=10)] = 2
    repeats_before_handoff: Annotated[int, Field(ge=1, le=10)] = 3


class IncludedFile(_Part):
    """A file named by ``include:``: everything but the shop's own settings."""

    synonyms: Annotated[list[Phrases], BeforeValidator(_as_list)] = []
    out_of_scope: Phrases = []
    not_ours: Phrases = []
    background: Phrases = []
    intents: Annotated[dict[Id, IntentPart], BeforeValidator(_as_mapping)] = {}


class KnowledgeBaseFile(IncludedFile):
    """kb.yaml itself."""

    shop: ShopPart
    thresholds: ThresholdsPart = ThresholdsPart()
    policy: PolicyPart = PolicyPart()
    include: Texts = []


_NEARLY: Final = 75.0
FileT = TypeVar("FileT", bound=IncludedFile)

# Which model's keys are valid at a path; "*" stands for a name that the admin chose.
_KEYS: Final[dict[tuple[str, ...], type[BaseModel]]] = {
    ("shop",): ShopPart,
    ("shop", "privacy"): PrivacyPart,
    ("thresholds",): ThresholdsPart,
    ("policy",): PolicyPart,
    ("intents", "*"): IntentPart,
    ("intents", "*", "outcomes", "*"): OutcomePart,
}
_WORDS: Final = {
    "string_type": ("这里要写文字 (text expected)", "写成一行文字；有特殊符号时加引号"),
    "list_type": ("这里要写列表 (list expected)", "每行以 “- ” 开头"),
    "dict_type": ("这里要写 “名字: 内容” (mapping expected)", "检查缩进和冒号后的空格"),
    "model_type": ("这里要写 “名字: 内容” (mapping expected)", "检查缩进和冒号后的空格"),
    "string_too_short": ("这里是空的 (empty)", "写上内容，或删掉这一行"),
    "bool_parsing": ("这里只能写 true 或 false", "true / false"),
    "int_parsing": ("这里要写整数 (whole number)", "例: 2"),
    "float_parsing": ("这里要写数字 (number)", "例: 0.6"),
}


def validate(document: Document, model: type[FileT]) -> FileT | list[Problem]:
    """Check one file against its model: the checked file, or every problem in it."""
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        return [problem_at(document.place(()), "最外层要写 “名字: 内容” (mapping expected)")]
    if data and not _is_ours(data, model):
        # some other file was named: what stands in it goes into no message
        text = "不是知识库：一个认识的键也没有 (no knowledge base)"
        return [problem_at(document.place(()), text, "知识库里要有 shop: 或 intents:")]
    try:
        return model.model_validate(data)
    except ValidationError as error:
        return list(_problems(error, document, model))


def _is_ours(data: Mapping[str, object], model: type[BaseModel]) -> bool:
    """Tell whether at least one key at the top is one of ours, or nearly."""
    names = [field.alias or name for name, field in model.model_fields.items()]
    return any(
        process.extractOne(key, names, scorer=fuzz.ratio, score_cutoff=_NEARLY) for key in data
    )


def _problems(
    error: ValidationError, document: Document, model: type[BaseModel]
) -> Iterator[Problem]:
    seen: set[tuple[DocumentPath, str]] = set()
    for detail in error.errors(include_url=False, include_context=True):
        path = tuple(part for part in detail["loc"] if part != "[key]")
        if (path, detail["type"]) not in seen:
            seen.add((path, detail["type"]))
            text, hint = _words(detail["type"], path, detail, model)
            yield problem_at(document.place(path), text, hint)


def _words(kind: str, path: DocumentPath, detail: Any, model: type[BaseModel]) -> tuple[str, str]:
    key, where = str(path[-1]) if path else "", _where(path)
    value = detail.get("input")
    if kind == "extra_forbidden":
        return f"{where}不认识的键 “{key}” (unknown key)", did_you_mean(
            key, _valid_keys(path, model)
        )
    if kind == "missing":
        return f"{where}缺少 “{key}” (missing)", f"加上 “{key}: …”"
    if kind == "value_error":
        return f"{where}{detail['ctx']['error']}", ""
    if kind == "string_pattern_mismatch":
        return (
            f"{where}“{value}” 不能作编号 (bad id)",
            "不用空格、逗号、冒号和竖线，如 card_invalid",
        )
    if kind == "string_too_long":
        return f"{where}太长: {str(value)[:40]!r}… (too long)", "写短一点，或分成几条"
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"{where}“{key}: {value}” 超出范围 (out of range)", str(detail["msg"])
    text, hint = _WORDS.get(kind, (str(detail["msg"]), ""))
    shown = f": {value!r}"[:60] if isinstance(value, str) else ""
    return f"{where}“{key}”{shown} {text}", hint


def _valid_keys(path: DocumentPath, model: type[BaseModel]) -> list[str]:
    above = tuple(str(part) for part in path[:-1])
    pattern = tuple("*" if n in (1, 3) else part for n, part in enumerate(above))
    found = _KEYS.get(above) or _KEYS.get(pattern) or model
    return [field.alias or name for name, field in found.model_fields.items()]


def _where(path: DocumentPath) -> str:
    return f"意图 {path[1]}: " if len(path) > 2 and path[0] == "intents" else ""  # noqa: PLR2004
