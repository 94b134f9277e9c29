"""Every word of the pages has a Chinese one, and keeps what is filled into it."""

import json
import re
from pathlib import Path

import pytest
from babel.messages import Catalog

from accounts.models import Role
from evolink_saas import translations
from evolink_saas.console.pages import PAGES
from tests.cast import Person
from tests.console.signing import newcomer
from tests.console.test_content_policy import FREE
from tests.console.visitors import joined

TAG = re.compile(r"<(script|style|code|pre|svg|option)\b.*?</\1>|<[^>]+>", re.DOTALL)
WORDS = re.compile(r"[A-Za-z]{3,}(?: [A-Za-z]+)+")
NAMES = re.compile(r"AI video gateway|Kling [A-Z]\w*|Standard Webhooks")
"""The names of the product, of model families and of a standard."""


def test_the_catalogue_holds_every_msgid_of_the_code_and_no_other() -> None:
    """Otherwise: `python -m evolink_saas.translations collect`."""
    assert {message.id for message in translations.read() if message.id} == {
        found.text for found in translations.msgids().values()
    }


def test_every_msgid_has_a_translation_that_nobody_guessed() -> None:
    catalog = translations.read()
    assert translations.missing(catalog) == {}
    assert [message.id for message in catalog if message.id and message.fuzzy] == []


def test_a_translation_keeps_what_is_filled_in() -> None:
    wrong = [
        message.id
        for message in translations.read()
        if message.id
        and translations.specifiers(translations.translation(message)) != translations.specifiers(message.id)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "msgids"),
    [
        ("{% translate \"One\" %}{% translate 'Two' as two %}", ["One", "Two"]),
        ("{% blocktranslate with a=b %}Hello {{ a }}, 5 %{% endblocktranslate %}", ["Hello %(a)s, 5 %%"]),
        (
            "{% blocktranslate count n=n %}{{ n }} key{% plural %}{{ n }} keys{% endblocktranslate %}",
            [("%(n)s key", "%(n)s keys")],
        ),
        ('<a href="{% url "x" %}">(no) words</a> {{ _("Three") }}', ["Three"]),
        ('{% translate "Say (it)" %}', ["Say (it)"]),
    ],
)
def test_templates_are_read(source: str, msgids: list[translations.MsgId]) -> None:
    assert list(translations.of_template(source, "a template")) == msgids


def test_python_is_read() -> None:
    source = (
        'x = _("One")\ny = ngettext("%(n)d key", "%(n)d keys", 2)\nz = translation.gettext_lazy("a" "b")\nw = _(x)\n'
    )
    assert sorted(map(str, translations.of_python(source))) == ["('%(n)d key', '%(n)d keys')", "One", "ab"]


def test_a_name_that_a_module_gives_to_gettext_is_known() -> None:
    source = "from django.utils.translation import gettext as now, ngettext as many\n"
    source += "now('One')\nmany('%(n)d key', '%(n)d keys', 2)"
    assert list(translations.of_python(source)) == ["One", ("%(n)d key", "%(n)d keys")]


def test_merging_fills_gaps_and_overwrites_nothing() -> None:
    catalog = Catalog("zh_Hans")
    catalog.add("One")
    catalog.add("Two", "二")
    catalog.add(("%(n)d key", "%(n)d keys"))
    given = {"One": "一", "Two": "两", "Three": "三", "%(n)d key": ["%(n)d keys", "%(n)d 个密钥"]}
    remarks = translations.merge(catalog, given)
    assert remarks == ["kept '二', not '两': 'Two'", "unknown: 'Three'"]
    assert translations.missing(catalog) == {}
    assert [translations.translation(catalog[key]) for key in ("One", "Two", "%(n)d key")] == [
        "一",
        "二",
        "%(n)d 个密钥",
    ]


def test_what_is_missing_has_the_form_that_merge_reads() -> None:
    catalog = Catalog("zh_Hans")
    catalog.add("One")
    catalog.add(("%(n)d key", "%(n)d keys"))
    wanted = json.loads(json.dumps(translations.missing(catalog)))
    assert wanted == {"One": "", "%(n)d key": ["%(n)d keys", ""]}
    assert translations.merge(catalog, {"One": "一", "%(n)d key": ["%(n)d keys", "%(n)d 个密钥"]}) == []


def test_collecting_and_compiling_twice_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = translations.PO.read_bytes()
    monkeypatch.setattr(translations, "MO", tmp_path / "django.mo")
    monkeypatch.setattr(translations, "PO", tmp_path / "django.po")
    translations.PO.write_bytes(before)
    translations.write(translations.collect())
    assert translations.PO.read_bytes() == before
    translations.compile_catalog()
    compiled = translations.MO.read_bytes()
    translations.compile_catalog()
    assert translations.MO.read_bytes() == compiled
    assert [path.name for path in tmp_path.iterdir()] != []


def english(page: str) -> list[str]:
    """Sentences of two words or more that are not markup, code or names."""
    return WORDS.findall(NAMES.sub(" ", TAG.sub(" ", page.partition("<main")[2])))


@pytest.mark.django_db
def test_chinese_pages_show_no_english(alice: Person) -> None:
    owner = joined(alice, Role.OWNER)
    owner.client.cookies["django_language"] = "zh-hans"
    paths = [owner.address(page.route) for page in PAGES if "<" not in page.route]
    for path in (
        *paths,
        "/console/me",
        "/console/new",
        "/account/2fa/",
        "/account/email/",
        "/account/password/change/",
    ):
        answer = owner.client.get(path)
        if answer.status_code == 200 and not answer.streaming:
            assert english(answer.content.decode()) == [], path
    for path in (*FREE, "/models", "/status"):
        assert english(newcomer("zh-CN").get(path).content.decode()) == [], path


@pytest.mark.django_db
def test_errors_of_a_form_are_chinese_too() -> None:
    client = newcomer("zh-CN")
    wrong = client.post("/account/login/", {"login": "dora@acme.example", "password": "wrong"})
    empty = client.post("/account/signup/", {"email": "x", "password1": "short"})
    for answer in (wrong, empty):
        page = answer.content.decode()
        assert "errorlist" in page
        assert english(page) == []
