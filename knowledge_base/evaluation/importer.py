"""``kefu kb import``: labelled text → a kb.yaml to start from."""

import json
from pathlib import Path

from knowledge_base.evaluation.cases import read_cases

_HEADER = """\
# 由 kefu kb import 从 {name} 生成。每个意图要补上标题和答案。
# Made by kefu kb import; give each intent a title and an answer.
shop:
  name: {shop}
  timezone: Asia/Shanghai
  hours: "每天 09:00-23:00"
"""
_TODO = "（待写：这里写给顾客的回答）"


def import_cases(csv_path: Path, yaml_path: Path, *, shop: str = "我的店") -> int:
    """Make a knowledge base out of labelled text.

    Rows labelled ``oos`` become ``out_of_scope:`` phrases; a row with alternatives (``a|b``) goes
    to the first. Answers are placeholders.

    Args:
        csv_path: Columns ``text,intent``.
        yaml_path: Written; an existing file is replaced.
        shop: Name of the shop.

    Returns:
        Number of intents written.

    Raises:
        CasesError: The CSV cannot be used.
    """
    cases = read_cases(csv_path)
    by_intent: dict[str, dict[str, None]] = {}
    out_of_scope: dict[str, None] = {}
    for case in cases:
        phrases = by_intent.setdefault(case.intents[0], {}) if case.intents else out_of_scope
        phrases[case.text] = None
    # beside first: a full disk leaves no half of one, and what was there before as it was
    beside = yaml_path.with_name(f".{yaml_path.name}.tmp")
    try:
        beside.write_text(_yaml(csv_path.name, shop, by_intent, out_of_scope), encoding="utf-8")
        beside.replace(yaml_path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    return len(by_intent)


def _yaml(
    name: str, shop: str, by_intent: dict[str, dict[str, None]], out_of_scope: dict[str, None]
) -> str:
    lines = [_HEADER.format(name=name, shop=_quoted(shop))]
    if out_of_scope:
        lines += ["out_of_scope:", *(f"  - {_quoted(phrase)}" for phrase in out_of_scope), ""]
    lines.append("intents:")
    for intent, phrases in by_intent.items():
        lines += [
            f"  {_quoted(intent)}:",
            f"    title: {_quoted(_title(intent))}",
            "    ask:",
            *(f"      - {_quoted(phrase)}" for phrase in phrases),
            f"    answer: {_quoted(_TODO)}",
        ]
    return "\n".join(lines) + "\n"


def _title(intent: str) -> str:
    return intent.replace("_", " ").strip().lower()


def _quoted(text: str) -> str:
    """A YAML double-quoted scalar: JSON's strings are a subset of it."""
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
