"""Checking the Jinja2 templates of answers before any customer meets them."""

from collections.abc import Iterable, Iterator

from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment
from rapidfuzz import fuzz, process

SHOP_VARIABLES = {
    "shop.name": "店名",
    "shop.hours": "人工客服时间，原文",
    "shop.timezone": "时区",
    "shop.website": "网址",
    "shop.service_email": "客服邮箱",
}
_NEAR_ENOUGH = 55.0


def template_problems(template: str, variables: Iterable[str]) -> list[tuple[int, str, str]]:
    """What is wrong with a template, as (line within it from 0, what, hint).

    Args:
        template: Text of an answer.
        variables: Dotted names that it may use (``order.summary``).
    """
    if "{" not in template:
        return []
    environment = ImmutableSandboxedEnvironment(autoescape=False)
    try:
        tree = environment.parse(template)
        environment.compile(template)
    except TemplateSyntaxError as error:
        text = f"答案模板写错了 ({error.message})"
        return [(error.lineno - 1, text, "变量写成 {{ shop.name }}")]
    except TemplateError as error:
        return [(0, f"答案模板写错了 ({error})", "变量写成 {{ shop.name }}")]
    known = sorted(variables)
    undeclared = find_undeclared_variables(tree)
    return [
        (line - 1, f"没有变量 “{name}” (unknown variable)", did_you_mean(name, known))
        for name, line in _used(tree, undeclared)
        if name not in known
    ]


def did_you_mean(word: str, valid: Iterable[str]) -> str:
    """The nearest valid word as a hint, else the first few valid ones.

    >>> did_you_mean("anwser", ["answer", "tool"])
    '是不是 “answer”？(did you mean “answer”?)'
    """
    words = sorted(valid)
    best = process.extractOne(word, words, scorer=fuzz.WRatio, score_cutoff=_NEAR_ENOUGH)
    if best is not None:
        return f"是不是 “{best[0]}”？(did you mean “{best[0]}”?)"
    shown = ", ".join(words[:12]) + (" …" if len(words) > 12 else "")  # noqa: PLR2004  a line's worth
    return f"可以用 (valid): {shown}" if words else "删掉它 (remove it)"


def _used(tree: nodes.Template, undeclared: set[str]) -> Iterator[tuple[str, int]]:
    """Every dotted name that starts at something the template did not make itself."""
    inner: set[int] = set()
    for node in tree.find_all(nodes.Getattr):
        if id(node) in inner:
            continue
        parts: list[str] = []
        at: nodes.Node = node
        while isinstance(at, nodes.Getattr):
            inner.add(id(at))
            parts.insert(0, at.attr)
            at = at.node
        if isinstance(at, nodes.Name) and at.name in undeclared:
            inner.add(id(at))
            yield ".".join((at.name, *parts)), node.lineno
    for name in tree.find_all(nodes.Name):
        if id(name) not in inner and name.name in undeclared and name.ctx == "load":
            yield name.name, name.lineno
