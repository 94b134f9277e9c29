"""Translations: `python -m evolink_saas.translations collect | merge FILE.json … | missing | compile`.

    code and templates ── collect ──> locale/zh_Hans/LC_MESSAGES/django.po ── compile ──> django.mo, which Django reads
                       {msgid: msgstr} ── merge ──┘

gettext's own programs need not be there. The .po file holds every msgid that the code has, and nothing else; the .mo
file is made of it by the set-up and is not in git. A plural is written `{msgid: [msgid_plural, msgstr]}` in JSON:
Chinese has one form. tests/console/test_translations.py fails while a msgid has no translation.
"""

import ast
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
APPS = ("accounts", "billing", "generations", "evolink_saas")
ENGLISH = {"admin", "reports", "migrations"}
"""Folders of what operators read."""
LOCALE = "zh_Hans"
PO = ROOT / "locale" / LOCALE / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
SINGULAR = {"gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy"}
NAMES = {name: name for name in SINGULAR | PLURAL} | {"_": "gettext"}
"""What each is called where nothing else is said; a module may import them under names of its own."""
CALL = re.compile(r"(?<!\w)n?gettext\(|(?<!\w)_\(")
SPECIFIER = re.compile(r"%(?:\((\w+)\))?[-#0 +]*\d*(?:\.\d+)?([a-zA-Z%])")
HEADER = """\
# Chinese of the pages and e-mails. evolink_saas/translations.py collects the msgids; docs/pages.md says how.
msgid ""
msgstr ""
"Language: zh_Hans\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""
MsgId = str | tuple[str, str]
OF_DJANGO: tuple[MsgId, ...] = (
    (
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
    ),
)
"""What Django itself says to our visitors and has no Chinese for."""


@dataclass
class Found:
    """A msgid, or a singular with its plural, and the files that say it."""

    text: MsgId
    files: list[str] = field(default_factory=list)


def collect() -> Catalog:
    """The catalogue of every msgid in the code, with the translations that are there already."""
    known = read()
    made = Catalog(LOCALE, project="AI video gateway", charset="utf-8", fuzzy=False)
    for msgid, found in msgids().items():
        before = known.get(msgid)
        same = before is not None and before.id == found.text and not before.fuzzy
        places = [(name, None) for name in found.files]  # without lines, which change all the time
        flags = ("python-format",) if specifiers(found.text) else ()
        made.add(found.text, before.string if same and before else None, places, flags)  # type: ignore[arg-type]
    return made


def msgids() -> dict[str, Found]:
    """What the code says, by its singular. Raises ValueError for a msgid with two plurals."""
    found: dict[str, Found] = {}
    for name, text in _sources():
        singular = text if isinstance(text, str) else text[0]
        entry = found.setdefault(singular, Found(text))
        if isinstance(entry.text, str):
            entry.text = text
        elif entry.text != text and not isinstance(text, str):
            raise ValueError(f"{name}: {singular!r} has two plurals.")
        if name not in entry.files:
            entry.files.append(name)
    return found


def merge(catalog: Catalog, translations: dict[str, str | list[str]]) -> list[str]:
    """Fill what has no translation yet; say which were known otherwise and which nobody asks for."""
    remarks = []
    for msgid, given in translations.items():
        wanted = given if isinstance(given, str) else given[-1]
        message = catalog.get(msgid)
        if message is None:
            remarks.append(f"unknown: {msgid!r}")
        elif translation(message) not in ("", wanted):
            remarks.append(f"kept {translation(message)!r}, not {wanted!r}: {msgid!r}")
        else:
            message.string = (wanted,) if message.pluralizable else wanted
    return remarks


def missing(catalog: Catalog) -> dict[str, str | list[str]]:
    """What has no translation, in the form that `merge` reads."""
    wanting = [message for message in catalog if message.id and not translation(message)]
    return {
        one.id if isinstance(one.id, str) else one.id[0]: "" if isinstance(one.id, str) else [one.id[1], ""]
        for one in wanting
    }


def translation(message: Message) -> str:
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return str(strings[0] or "") if strings else ""


def specifiers(text: MsgId) -> set[str]:
    """`%(name)s`, `%d`: what a translation must keep. A doubled % is none."""
    parts = (text,) if isinstance(text, str) else text
    return {f"{name}:{kind}" for part in parts for name, kind in SPECIFIER.findall(part) if kind != "%"}


def read() -> Catalog:
    if not PO.exists():
        return Catalog(LOCALE)
    with PO.open("rb") as file:
        return read_po(file, LOCALE)


def write(catalog: Catalog) -> None:
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        file.write(HEADER.encode())
        write_po(file, catalog, width=120, omit_header=True, include_lineno=False, sort_by_file=True)


def compile_catalog() -> None:
    """All or nothing: a reader never finds half of a file."""
    beside = MO.with_suffix(f".{os.getpid()}")
    with beside.open("wb") as file:
        write_mo(file, read())
    beside.replace(MO)


def _sources() -> Iterator[tuple[str, MsgId]]:
    yield from (("django", text) for text in OF_DJANGO)
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if ENGLISH & set(name.split("/")):
                continue
            if path.suffix == ".py":
                yield from ((name, text) for text in of_python(path.read_text()))
            elif path.suffix in (".html", ".txt") and "templates" in path.parts:
                yield from ((name, text) for text in of_template(path.read_text(), name))


def of_python(source: str) -> Iterator[MsgId]:
    nodes = list(ast.walk(ast.parse(source)))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"]
    names = NAMES | {alias.asname: alias.name for node in imports for alias in node.names if alias.asname}
    for node in nodes:
        if isinstance(node, ast.Call) and (text := _said(node, names)) is not None:
            yield text


def of_template(source: str, name: str) -> Iterator[MsgId]:
    """Django turns the template into calls with filling between them; each call is read as Python."""
    text = templatize(source, name)
    for start in CALL.finditer(text):
        yield from of_python(_call_at(text, start.start()))


def _call_at(text: str, start: int) -> str:
    """The call that begins there: up to the first bracket that closes it."""
    end = start
    while (end := text.find(")", end + 1)) >= 0:
        try:
            ast.parse(text[start : end + 1])
        except SyntaxError:
            continue
        return text[start : end + 1]
    raise ValueError(f"Nothing closes {text[start : start + 60]!r}.")


def _said(call: ast.Call, names: dict[str, str]) -> MsgId | None:
    """The msgid of a call of gettext, which is a plain text."""
    name = names.get(call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", ""))
    if name not in SINGULAR | PLURAL or not call.args:
        return None
    texts = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    if not texts or not isinstance(texts[0], str):
        return None
    return (texts[0], str(texts[1])) if name in PLURAL else texts[0]


def _collect(names: list[str]) -> None:
    catalog = collect()
    write(catalog)
    sys.stdout.write(f"{len(catalog)} msgids, {len(missing(catalog))} without a translation\n")


def _merge(names: list[str]) -> None:
    catalog = collect()
    for name in names:
        for remark in merge(catalog, json.loads(Path(name).read_text())):
            sys.stdout.write(f"{name}: {remark}\n")
    write(catalog)
    sys.stdout.write(f"{len(missing(catalog))} without a translation\n")


def _missing(names: list[str]) -> None:
    sys.stdout.write(json.dumps(missing(collect()), ensure_ascii=False, indent=1) + "\n")


def _compile(names: list[str]) -> None:
    compile_catalog()


ACTS: dict[str, Callable[[list[str]], None]] = {
    "collect": _collect,
    "merge": _merge,
    "missing": _missing,
    "compile": _compile,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ACTS:
        sys.exit(f"{__doc__}\nSay one of: {', '.join(ACTS)}.")
    ACTS[sys.argv[1]](sys.argv[2:])
