"""GraphiQL's page, as `make web` builds it: whole, and asking no other host."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

DIST = Path(__file__).parents[2] / "web" / "dist"
NAMES = [path.name for path in sorted(DIST.glob("*.js"))]
# `import("./a.js")`, `from"./a.js"`, and the workers' names, which are plain strings.
REFERENCE = re.compile(r"""["'`](?:\./)?([\w.-]+-[A-Z0-9]{8}\.\w+)["'`]""")


class References(HTMLParser):
    """What a page loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href") and value]


def named_in_scripts() -> Iterator[str]:
    for name in NAMES:
        yield from REFERENCE.findall((DIST / name).read_text())


def loaded_by_the_style_sheet() -> list[str]:
    (sheet,) = DIST.glob("*.css")
    return re.findall(r"""(?:url\(|@import\s)["']?([^"')]+)""", sheet.read_text())


def test_the_page_names_files_that_are_there_and_nothing_else() -> None:
    references = References((DIST / "index.html").read_text()).found
    assert len(references) == 3
    for reference in references:
        folder, _, name = reference.partition("/")
        assert folder == "graphiql"
        assert (DIST / name).is_file()


def test_the_page_has_no_script_or_style_of_its_own() -> None:
    page = (DIST / "index.html").read_text()
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=", page)


def test_what_the_scripts_load_is_there() -> None:
    named = set(named_in_scripts())
    assert {name.rpartition("-")[0] for name in named} >= {"editor-worker", "graphql-worker", "json-worker", "chunk"}
    assert [name for name in named if not (DIST / name).is_file()] == []


def test_no_file_lies_there_that_nothing_loads() -> None:
    named = {*named_in_scripts(), *re.findall(r"graphiql/([\w.-]+)", (DIST / "index.html").read_text())}
    named |= {url.removeprefix("./") for url in loaded_by_the_style_sheet()}
    assert {path.name for path in DIST.iterdir()} - named == {"index.html", "licences.txt"}


@pytest.mark.parametrize("name", NAMES)
def test_no_script_imports_from_another_host(name: str) -> None:
    script = (DIST / name).read_text()
    assert not re.search(r"""(?:from|import\()\s*["'`](?:https?:)?//""", script)
    assert not re.search(r"""importScripts\(\s*["'`]""", script)


def test_the_style_sheet_loads_its_own_fonts_only() -> None:
    loaded = loaded_by_the_style_sheet()
    assert loaded
    assert [url for url in loaded if not url.startswith(("data:", "./", "#"))] == []


def test_the_licences_of_what_is_passed_on_are_there() -> None:
    licences = (DIST / "licences.txt").read_text()
    assert {"graphiql", "monaco-editor", "react", "graphql"} <= set(re.findall(r"(?m)^([\w@/-]+) \d\S*: MIT", licences))
