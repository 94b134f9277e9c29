"""What of a page tests look at: its text, its headings, the addresses that it loads, the figures in it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "img", "br", "hr", "use", "path", "circle", "rect", "stop"}
LOADING = {"script": "src", "img": "src", "use": "href", "source": "src", "video": "src", "iframe": "src"}


@dataclass
class Outline(HTMLParser):
    """`loads` are what a browser fetches for the page, `links` where its links lead."""

    text: str = ""
    language: str = ""
    headings: list[int] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    heads: dict[str, str] = field(default_factory=dict)
    inline: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag not in VOID:
            self.open.append(tag)
        if tag == "html":
            self.language = given["lang"]
        elif tag == "a":
            self.links.append(given["href"])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
        elif tag[0] == "h" and tag[1:].isdigit():
            self.headings.append(int(tag[1:]))
        elif tag == "meta":
            self.heads[given.get("name") or given.get("property", "")] = given.get("content", "")
        elif tag == "link":
            self._link(given)
        if tag in LOADING and LOADING[tag] in given:
            self.loads.append(given[LOADING[tag]])
        is_code = tag == "script" and "src" not in given and given.get("type") != "application/json"
        self.inline += [tag] * is_code + [name for name in given if name == "style" or name.startswith("on")]

    def _link(self, given: dict[str, str]) -> None:
        if given["rel"] in ("stylesheet", "icon"):
            self.loads.append(given["href"])
        else:
            self.heads[" ".join([given["rel"], given.get("hreflang", "")]).strip()] = given["href"]

    def handle_endtag(self, tag: str) -> None:
        self.text += " " * (tag in ("dt", "dd", "p", "li", "a", "th", "td", "h1", "h2", "h3"))
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            return
        self.text += data
        if {"th", "td"} & set(self.open):
            self.rows[-1][-1] += data


def read(html: str) -> Outline:
    outline = Outline()
    outline.feed(html)
    outline.text = " ".join(outline.text.split())
    outline.rows = [[" ".join(cell.split()) for cell in row] for row in outline.rows]
    return outline
