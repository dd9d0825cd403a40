"""The Jinja2 templates of answers: checked before any customer meets them, bounded as they run."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment
from rapidfuzz import fuzz, process

from knowledge_base.errors import KnowledgeBaseFailure

SHOP_VARIABLES = {
    "shop.name": "店名",
    "shop.hours": "人工客服时间，原文",
    "shop.timezone": "时区",
    "shop.website": "网址",
    "shop.service_email": "客服邮箱",
}
MAX_OUTPUT_CHARS = 20_000
"""Five times the longest answer in kb.yaml; the rest is what variables put in."""
_NEAR_ENOUGH = 55.0
_MAX_DEPTH = 20
_HINT = "变量写成 {{ shop.name }}，条件写成 {% if order.cards %}…{% endif %}"
# no loop, no call, no product, nothing that is named and used again: each of them doubles
_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If),
    *(nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const, nodes.List, nodes.Tuple),
    *(nodes.Filter, nodes.Test, nodes.CondExpr, nodes.Compare, nodes.Operand),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Concat, nodes.Add, nodes.Sub, nodes.Neg),
    nodes.Keyword,
)
# the most arguments that each takes: `round` works out 10 ** its argument, `replace` multiplies
_FILTERS = {
    **dict.fromkeys(("upper", "lower", "trim", "length", "count", "first", "last"), 0),
    **dict.fromkeys(("int", "float", "round", "abs", "string", "capitalize", "title"), 0),
    **dict.fromkeys(("default", "d"), 2),
    "truncate": 4,
}
_WORDS = {"Mul": "*", "Pow": "**", "Mod": "%", "Div": "/", "FloorDiv": "//", "Call": "( )"}
# the optimiser works constants out as it compiles
_ENVIRONMENT = ImmutableSandboxedEnvironment(autoescape=False, optimized=False, cache_size=0)


class BadTemplate(KnowledgeBaseFailure):
    """A template cannot be rendered: it says something that no answer may, or fails as it runs.

    Attributes:
        line: Within the template, from 0.
        hint: What to do about it.
    """

    def __init__(self, text: str, line: int = 0, hint: str = _HINT) -> None:
        super().__init__(text)
        self.line = line
        self.hint = hint


def template_problems(template: str, variables: Iterable[str]) -> list[tuple[int, str, str]]:
    """Return the problems of a template, as (line within it from 0, what is wrong, hint).

    Args:
        template: Text of an answer.
        variables: Dotted names that it may use (``order.summary``).
    """
    if "{" not in template:
        return []
    try:
        tree = _parsed(template)
        _compiled(template)
    except BadTemplate as error:
        return [(error.line, str(error), error.hint)]
    known = sorted(variables)
    undeclared = find_undeclared_variables(tree)
    return [
        (line - 1, f"没有变量 “{name}” (unknown variable)", did_you_mean(name, known))
        for name, line in _used(tree, undeclared)
        if name not in known
    ]


def render(template: str, variables: Mapping[str, Any]) -> str:
    """A template with its variables.

    Raises:
        BadTemplate: It says what no answer may, fails, or grows too long.
    """
    if "{" not in template:
        return template
    compiled = _compiled(template)
    try:
        text = compiled.render(**variables).strip()
    except Exception as error:  # whatever an expression raises: its caller knows what to do then
        raise BadTemplate(f"答案填不出来 ({type(error).__name__})") from error
    if len(text) > MAX_OUTPUT_CHARS:
        raise BadTemplate(f"答案太长了，超过 {MAX_OUTPUT_CHARS} 字 (too long)")
    return text


@lru_cache(maxsize=2_000)
def _compiled(template: str) -> Template:
    tree = _parsed(template)
    try:
        return _ENVIRONMENT.from_string(tree)
    except (TemplateError, SyntaxError, ValueError, RecursionError) as error:
        raise BadTemplate(f"答案模板写错了 ({type(error).__name__})") from error


def _parsed(template: str) -> nodes.Template:
    """A template's tree, every part of which is harmless.

    It is looked at before it is compiled: the compiler would work out ``'x' * 2000000000`` by
    itself. What is left can only pick, compare and join what is there, so that an answer is about
    as long as its template and variables, and takes as long.

    Raises:
        BadTemplate: It is no template, or something in it may not stand there.
    """
    try:
        tree = _ENVIRONMENT.parse(template)
    except TemplateSyntaxError as error:
        text = f"答案模板写错了 ({error.message})"
        raise BadTemplate(text, error.lineno - 1) from error
    except (TemplateError, ValueError, OverflowError, RecursionError) as error:
        # what the parser itself stumbles over: a thousand brackets, a number of a thousand digits
        raise BadTemplate(
            f"答案模板写得太复杂 ({type(error).__name__})", _first_line(template)
        ) from error
    waiting: list[tuple[nodes.Node, int, int]] = [(tree, 1, 0)]
    while waiting:
        node, line, depth = waiting.pop()
        line = node.lineno or line
        _refuse(node, line - 1, depth)
        children = reversed(list(node.iter_child_nodes()))
        waiting += [(child, line, depth + 1) for child in children]
    return tree


def _refuse(node: nodes.Node, line: int, depth: int) -> None:
    """Refuse what could grow or run without bound, or reach beyond the variables.

    Raises:
        BadTemplate: This is such a thing.
    """
    if depth > _MAX_DEPTH:
        raise BadTemplate("答案模板套得太深 (nested too deep)", line)
    if not isinstance(node, _ALLOWED):
        name = _WORDS.get(type(node).__name__, type(node).__name__.lower())
        raise BadTemplate(f"答案里不能用 “{name}” (not allowed)", line)
    if isinstance(node, nodes.Filter):
        count = len(node.args) + len(node.kwargs)
        if node.dyn_args or node.dyn_kwargs or count > _FILTERS.get(node.name, -1):
            raise BadTemplate(f"答案里不能用过滤器 “|{node.name}” (not allowed)", line)
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        raise BadTemplate(f"答案里不能用 “.{node.attr}” (not allowed)", line)


def _first_line(template: str) -> int:
    """The line of the first mark, from 0."""
    return template[: template.index("{")].count("\n")


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
