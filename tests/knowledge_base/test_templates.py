"""Answers are templates of the admin's: whatever stands in them, memory and time are bounded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.source.source import read_source
from knowledge_base.source.templates import BadTemplate, render, template_problems
from tests.factories.growth import is_within

ROOT = Path(__file__).parent.parent.parent
NAMES = ("shop.name", "order.cards")
PLAIN = "您在{{ shop.name }}买的：{{ order.cards }}"
BOMBS = [
    "{{ 'x'*2000000000 }}",
    "{{ 'x' * 2000000000 * 2000000000 }}",
    "{{ [0] * 2000000000 }}",
    "{{ 9**9**9**9 }}",
    "{{ '%2000000000d' % 1 }}",
    "{{ '%2000000000d'|format(1) }}",
    "{{ '{:2000000000}'.format(1) }}",
    "{{ 'x'.zfill(2000000000) }}",
    "{{ 'x'.ljust(2000000000) }}",
    "{{ 'x'|center(2000000000) }}",
    "{{ 'x'|indent(2000000000, true) }}",
    "{{ 1|round(2000000000, 'ceil') }}",
    "{{ 'xxxx'|replace('x','xxxxxxxx')" + "|replace('x','xxxxxxxx')" * 30 + " }}",
    "{{ 'xxxx'" + "|join('xxxxxxxxxxxx')" * 30 + " }}",
    "{{ range(2000000000)|list }}",
    "{{ lipsum(100000) }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
    "{% for a in 'xxxxxxxx' recursive %}{{ loop('xxxxxxxx') }}{% endfor %}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
    "{% with a = 'x' * 99999999 %}{{ a }}{% endwith %}",
    "{% filter center(2000000000) %}x{% endfilter %}",
    "{% include 'secret.key' %}",
    "{% import 'secret.key' as a %}",
    "{% extends 'secret.key' %}",
    "{{ shop.name.__class__.__mro__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__ }}",
    "{{ namespace(a=1) }}",
    "{{ " + "(" * 900 + "1" + ")" * 900 + " }}",
    "{{ " + "-" * 1800 + "1 }}",
    "{% if 1 %}" * 150 + "x" + "{% endif %}" * 150,
]


@pytest.mark.parametrize("bomb", BOMBS, ids=[bomb[:40] for bomb in BOMBS])
def test_a_template_that_could_grow_without_bound_is_refused_before_it_is_compiled(
    bomb: str,
) -> None:
    problems = template_problems(f"好的。\n{bomb}", NAMES)
    assert problems
    assert problems[0][0] == 1  # the line on which it stands
    # one that went off would take thousands of times as long
    assert is_within(
        200, lambda: template_problems(bomb, NAMES), lambda: template_problems(PLAIN, NAMES)
    )


@pytest.mark.parametrize("bomb", BOMBS, ids=[bomb[:40] for bomb in BOMBS])
def test_a_template_that_was_not_checked_is_not_rendered_either(bomb: str) -> None:
    with pytest.raises(BadTemplate):
        render(bomb, {"shop": {"name": "x"}})


def test_all_bombs_together_take_neither_memory_nor_time() -> None:
    limit = 400_000_000
    checking = f"""
import json, resource, sys
from knowledge_base.source.templates import template_problems
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
assert all(template_problems(bomb, ()) for bomb in json.load(sys.stdin))
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", checking],
        cwd=ROOT,
        input=json.dumps(BOMBS),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) < limit / 1024


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("好的，{{ shop.name }}。", "好的，星辰。"),
        ("{% if order.cards %}有{% else %}没有{% endif %}", "没有"),
        ("{% if not order.cards and shop.name == '星辰' %}a{% elif 1 %}b{% endif %}", "a"),
        ("{{ order.cards or '没有' }}", "没有"),
        ("{{ order.cards|default('没有', true) }}", "没有"),
        ("{{ shop.name|upper|trim }}", "星辰"),
        ("{{ shop.name ~ '!' }}", "星辰!"),
        ("{{ 'a' if shop.name in ['星辰', 'x'] else 'b' }}", "a"),
        ("{{ shop.name|length + 1 }}", "3"),
        ("{# a note #}{% raw %}{{ }}{% endraw %}", "{{ }}"),
        ("{{ shop.name is defined }}", "True"),
        ("没有变量 { }", "没有变量 { }"),
    ],
)
def test_what_answers_need_still_works(template: str, text: str) -> None:
    variables = {"shop": {"name": "星辰"}, "order": {"cards": ""}}
    assert template_problems(template, NAMES) == []
    assert render(template, variables) == text


def test_an_answer_grows_with_what_is_put_in_and_not_further() -> None:
    with pytest.raises(BadTemplate, match="long"):
        render("{{ order.cards }}" * 100, {"order": {"cards": "x" * 10_000}})


@given(st.text(alphabet="{}%# \n'\"x()[]*+-~|.,=0123abdefilnorstu", max_size=60))
def test_no_text_breaks_the_check_or_renders_what_the_check_refuses(template: str) -> None:
    problems = template_problems(template, NAMES)
    try:
        render(template, {"shop": {"name": "x"}, "order": {"cards": "y"}})
    except BadTemplate:
        return
    assert all("variable" in text for _, text, _ in problems)


def test_a_bomb_in_kb_yaml_is_refused_with_file_and_line(small_kb_file: Path) -> None:
    text = small_kb_file.read_text(encoding="utf-8")
    right = "answer: 支付宝、微信都可以。"
    line = text[: text.index(right)].count("\n") + 1
    bomb = "answer: \"{{ 'x'*2000000000 }}\""
    small_kb_file.write_text(text.replace(right, bomb), encoding="utf-8")
    with pytest.raises(KnowledgeBaseError) as caught:
        read_source(small_kb_file, {})
    assert any(
        f"kb.yaml:{line}: " in told and "*" in told for told in str(caught.value).split("\n")
    )
