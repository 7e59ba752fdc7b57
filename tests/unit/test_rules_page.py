"""The page on the rules is held to the code: a developer who meets a code finds it in docs/rules.md, with the text that it has.

Both sides are read as text. Codes that are put together at run time (`R11.audience.{name}`) are whole in a table of texts.
"""

from __future__ import annotations

import re

import pytest

from deploy.local.layout import ROOT

PAGE = (ROOT / "docs" / "rules.md").read_text("utf-8")
SOURCES = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in (ROOT / "services").rglob("*.py")}
CODE = r"R[0-9]+(?:\.[a-z0-9_]+)+"
IN_SOURCES = {code for text in SOURCES.values() for code in re.findall(rf"""["']({CODE})["']""", text)}
ROWS = re.findall(rf"^\| `({CODE})` \| [^|]+ \| ([^|]+) \| `([^`|]+)` \|$", PAGE, re.MULTILINE)


def test_every_code_is_on_the_page() -> None:
    """Someone adds a refusal: whoever meets its code must find a row that explains it."""
    assert IN_SOURCES
    assert sorted(code for code, _, _ in ROWS) == sorted(IN_SOURCES)


def test_the_page_names_no_other_code() -> None:
    """A refusal goes or is renamed: the page must not keep explaining a code that nobody can meet."""
    assert set(re.findall(rf"\b{CODE}", PAGE)) == IN_SOURCES


def test_every_rule_has_its_section() -> None:
    """People look a rule up by its number: all eighteen are there, in order, also those without a code."""
    assert re.findall(r"^## R([0-9]+)\. \S", PAGE, re.MULTILINE) == [str(number) for number in range(1, 19)]


def test_a_code_stands_under_its_own_rule() -> None:
    """Who reads about R11 sees the codes of R11 there, and not those of another rule."""
    sections = re.findall(r"^## R([0-9]+)\.(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    placed = {(number, code) for number, text in sections for code in re.findall(rf"^\| `({CODE})`", text, re.MULTILINE)}
    assert placed == {(code.partition(".")[0][1:], code) for code in IN_SOURCES}


@pytest.mark.parametrize(("code", "text", "module"), ROWS, ids=[code for code, _, _ in ROWS])
def test_a_row_says_what_the_code_says(code: str, text: str, module: str) -> None:
    """The text on the page is the one that people read, and the file that is named is where the code is given."""
    assert any(f'"{text}"' in source for source in SOURCES.values())
    put_together = code.rpartition(".")[0] + ".{"
    assert f'"{code}"' in SOURCES[module] or put_together in SOURCES[module]
