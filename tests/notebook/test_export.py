"""Output notebooks as documents: what is kept, and what a stranger's text must not become."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.notebook.document import UnreadableNotebookError
from iaiflow_lab.notebook.export import Form, export
from iaiflow_lab.notebook.sanitise import clean_html, clean_markdown, fenced

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\npixel").decode()
SVG = "<svg xmlns='http://www.w3.org/2000/svg'><script>owned = 1</script></svg>"
CHART = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "data": {"values": [{"a": 1, "b": 2}]},
    "mark": "bar",
    "encoding": {"x": {"field": "a"}, "y": {"field": "b"}},
}


def code(source="", *outputs):
    return {"cell_type": "code", "source": source, "outputs": list(outputs)}


def text(source, **more):
    return {"cell_type": "markdown", "source": source, **more}


def shows(**data):
    bundle = {kind.replace("__", "+").replace("_", "/"): value for kind, value in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": bundle}


def says(said, name="stdout"):
    return {"output_type": "stream", "name": name, "text": said}


@pytest.fixture
def document(tmp_path):
    """Return `document(form, *cells)`: what a notebook of these cells is made into."""

    def make(form, *cells):
        path = tmp_path / "flights.ipynb"
        path.write_text(json.dumps({"nbformat": 4, "cells": list(cells)}))
        return export(path, form)

    return make


def test_a_page_has_texts_code_and_outputs(document):
    made = document(
        Form.HTML,
        text("# Delays\n\n**late** planes"),
        code("rows = 7", says("seven \x1b[31mrows\x1b[0m")),
        code("", shows(text_html="<table><tr><td>AA</td></tr></table>", text_plain="plain")),
        code("", {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["it broke"]}),
    )
    page = made.data.decode()
    assert (made.name, made.media_type, made.files) == ("flights.html", "text/html", {})
    for part in ("<strong>late</strong>", "rows</span>", "<td>AA</td>", "it broke"):
        assert part in page
    assert "plain" not in page.partition("<body>")[2]


def test_pictures_stand_in_the_page(document):
    attached = text("![p](attachment:p.png)", attachments={"p.png": {"image/png": PIXEL}})
    page = document(
        Form.HTML, attached, code("", shows(image_png=PIXEL)), code("", shows(image_svg__xml=SVG))
    ).data.decode()
    assert page.count(f"data:image/png;base64,{PIXEL}") == 2
    assert f"data:image/svg+xml;base64,{base64.b64encode(SVG.encode()).decode()}" in page


def test_charts_are_drawn_and_nothing_is_fetched_for_them(document):
    remote = CHART | {"data": {"url": "http://127.0.0.1:9/data.json"}}
    charts = [
        code(
            "", {"output_type": "display_data", "data": {"application/vnd.vegalite.v6+json": spec}}
        )
        for spec in (CHART, remote, "no chart")
    ]
    page = document(Form.HTML, *charts).data.decode()
    assert 1 <= page.count("data:image/svg+xml;base64,") <= 2
    assert "127.0.0.1" not in page


def test_markdown_has_its_pictures_as_files(document):
    made = document(
        Form.MARKDOWN,
        text("![p](attachment:p.png)", attachments={"p.png": {"image/png": PIXEL}}),
        code("", shows(image_png=PIXEL), shows(image_gif=PIXEL)),
    )
    said = made.data.decode()
    assert made.name == "flights.md"
    assert sorted(made.files) == ["flights_files/output_1_0.png", "flights_files/p.png"]
    assert all(f"]({name})" in said for name in made.files)
    assert set(made.files.values()) == {base64.b64decode(PIXEL)}


def test_code_in_markdown_is_not_ended_by_what_it_holds(document):
    made = document(Form.MARKDOWN, code("x = '''\n```\n'''", says("```\n<b>")))
    assert "````python\nx = '''\n```\n'''\n````" in made.data.decode()
    assert "````\n```\n<b>\n````" in made.data.decode()


@pytest.mark.parametrize("form", [Form.HTML, Form.MARKDOWN])
def test_odd_notebooks_are_exported(document, form):
    odd = [
        code("", 3, {}, {"output_type": "display_data", "data": 4}, {"output_type": "stream"}),
        code("", {"output_type": "error", "traceback": 5}, shows(image_png="*")),
        text("a", attachments={"../x": {"image/png": PIXEL}, "y": 3, "z": {"image/png": []}}),
        {"cell_type": "raw", "source": ["raw ", "text"]},
        code("", shows(application_javascript="alert(1)")),
    ]
    made = document(form, *odd)
    assert b"raw text" in made.data
    assert b"alert" not in made.data
    assert not made.files


def test_a_notebook_as_it_is_keeps_every_byte(document, tmp_path):
    made = document(Form.IPYNB, text("a"))
    assert made.data == (tmp_path / "flights.ipynb").read_bytes()


def test_what_is_no_notebook_is_refused(tmp_path):
    (tmp_path / "x.ipynb").write_text("[]")
    with pytest.raises(UnreadableNotebookError, match="must be an object"):
        export(tmp_path / "x.ipynb", Form.HTML)


def test_a_pdf_without_a_browser_is_refused_with_what_is_missing(document, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotFoundError, match="none is installed"):
        document(Form.PDF, text("a"))


HOSTILE_HTML = [
    "<script>x</script>", "<img src=x onerror=x>", "<img src='http://evil.example/x.png'>",
    "<img src='//evil.example/x.png'>", "<img srcset='http://evil.example/x.png 2x'>",
    "<svg onload=x><image href='http://evil.example/x'/></svg>", "<iframe src='//evil.example'>",
    "<video src='//evil.example/v' poster='//evil.example/p' autoplay>", "<object data=x>",
    "<p style='background:url(//evil.example/x)'>a</p>", "<style>@import '//evil.example'</style>",
    "<link rel=stylesheet href='//evil.example'>", "<meta http-equiv=refresh content='0;url=//e'>",
    "<base href='//evil.example'>", "<a href='javascript:x'>a</a>",
    "<a href='data:text/html,x'>a</a>", "<math><mtext><img src=//evil.example></mtext></math>",
    "<a href=' java\tscript:x'>a</a>", "<form action='//evil.example'><button>a</button></form>",
    "<input type=image src='//evil.example'>",
    "<img src='data:text/html;base64,PHNjcmlwdD4='>", "<a href='#x' ping='//evil.example'>a</a>",
    "<table background='//evil.example'><tr><td>a</td></tr></table>",
    "<noscript><p title='</noscript><img src=x onerror=x>'>",
]  # fmt: skip


class Found(HTMLParser):
    """Notes tags that act and attributes that act or name something to be loaded."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in PLAIN:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name not in {"alt", "class", "href", "id", "rel", "src", "style", "title"}:
                self.faults.append(name)
            if name == "style" and "(" in value:
                self.faults.append(value)
            is_own = value.startswith("data:image/png;base64,")
            if (name == "src" and not is_own) or (name == "href" and value != "#x"):
                self.faults.append(value)


PLAIN = {"a", "div", "img", "p", "table", "tbody", "td", "tr"}


@pytest.mark.parametrize("hostile", HOSTILE_HTML)
def test_hostile_html_is_made_harmless(hostile):
    assert Found(clean_html(hostile)).faults == []
    assert Found(clean_html(f'<div><p title="{hostile}">{hostile}')).faults == []


@given(st.lists(st.sampled_from([*HOSTILE_HTML, "<", ">", '"', "'", "`", "<!--", "]]>", "a"])))
def test_no_mixture_of_hostile_html_acts(parts):
    made = clean_html("".join(parts))
    assert Found(made).faults == []
    assert clean_html(made) == made


HOSTILE_MARKDOWN = [
    "```", "~~~", "````", "\n", "\n\n", " ", "    ", "- ", "> ", "<b>", "<script>", "<div>", "`",
    "![a](http://evil.example/x)", "[a](javascript:x)", "\\", "!", "[", "](", ")", "text", "<",
    "[r]: javascript:x", "![r]", "<http://example.org>", "&#33;", "<!--", "-->",
]  # fmt: skip
PIECES = st.lists(st.sampled_from(HOSTILE_MARKDOWN))


@given(PIECES)
def test_no_markdown_has_tags_or_pictures_of_elsewhere(parts):
    import mistune

    shown = mistune.create_markdown(escape=False)(clean_markdown("".join(parts)))
    assert not re.search(r"<(script|div|b|img)\b|<!--", shown)
    assert 'href="javascript' not in shown


@given(st.text("`~a\n<>", max_size=40), PIECES)
def test_nothing_leaves_a_fenced_block(inside, before):
    import mistune

    whole = clean_markdown("".join(before)) + "\n\n" + fenced(inside) + "\n\nafter"
    assert mistune.html(whole).count("<p>after</p>") == 1


def test_what_people_write_in_markdown_stays():
    said = "# a\n\n> quote\n\n- *b* & `c` [d](https://example.org) <https://example.org>\n\n$a < b$"
    assert clean_markdown(said) == said
    assert clean_markdown("![local](pictures/a.png)") == "![local](pictures/a.png)"
