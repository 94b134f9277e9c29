"""The public pages: they open for everybody, in every language, load from us alone, and lead on."""

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from evolink_saas.site import wording
from generations import catalog, figures
from generations.catalog import kling_v3, videos
from generations.models import ModelHour
from tests.cast import Person
from tests.console.visitors import Visitor, visitor
from tests.site.conftest import Look
from tests.site.outline import read

pytestmark = pytest.mark.django_db

KLING_3 = "/models/kling-3"
PAGES = [KLING_3, "/models", *(f"/models/{spec.id}" for spec in catalog.SPECS)]
CODES = [code for code, _ in settings.LANGUAGES]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("code", CODES)
def test_a_page_opens_in_every_language_with_headings_in_order(look: Look, path: str, code: str) -> None:
    page = look(path, lang=code)
    assert page.language == code
    assert page.headings.count(1) == 1 and page.headings[0] == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert page.heads["description"] and page.heads["og:title"] and page.heads["og:description"]
    assert "robots" not in page.heads


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_from_us_alone_and_runs_nothing_inline(look: Look, path: str) -> None:
    page = look(path)
    assert page.loads and all(address.startswith("/static/") for address in page.loads)
    assert page.inline == []


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_a_page_leads_somewhere(look: Look, client: Client, path: str) -> None:
    for link in {link for link in look(path).links if link.startswith("/")}:
        assert client.get(link, headers={"accept-language": "en"}).status_code in (200, 302), link


def test_search_engines_are_told_the_address_of_each_language(look: Look) -> None:
    page, address = look(KLING_3, lang="zh-hans"), f"{settings.PUBLIC_URL}{KLING_3}"
    assert page.heads["canonical"] == f"{address}?lang=zh-hans"
    assert {code: page.heads[f"alternate {code}"] for code in CODES} == {
        code: f"{address}?lang={code}" for code in CODES
    }
    assert page.heads["alternate x-default"] == address


def test_a_chosen_language_is_remembered(client: Client, prices: None) -> None:
    first = client.get(KLING_3, {"lang": "zh-hans"}, headers={"accept-language": "en"})
    assert first.cookies[settings.LANGUAGE_COOKIE_NAME].value == "zh-hans"
    again = client.get("/models", headers={"accept-language": "en"})
    assert (read(again.content.decode()).language, again["Content-Language"]) == ("zh-hans", "zh-hans")
    assert settings.LANGUAGE_COOKIE_NAME not in again.cookies


def test_a_language_that_nobody_speaks_here_is_passed_over(client: Client, prices: None) -> None:
    answer = client.get(KLING_3, {"lang": "xx"}, headers={"accept-language": "en"})
    assert read(answer.content.decode()).language == "en"
    assert settings.LANGUAGE_COOKIE_NAME not in answer.cookies


def test_the_switch_keeps_what_was_asked(look: Look) -> None:
    assert f"{KLING_3}?seconds=7&lang=zh-hans" in look(KLING_3, seconds=7).links


def test_the_front_door_leads_to_kling_3_and_programs_still_get_json(client: Client, prices: None) -> None:
    assert client.get("/")["Location"] == KLING_3
    answer = client.get("/v1/no-such-thing")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "invalid_url")


@pytest.mark.parametrize("path", ["/models/no-such-model", "/models/kling-3/more"])
def test_an_unknown_model_is_a_page_that_says_so(client: Client, prices: None, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_pages_only_answer_looks(client: Client, prices: None) -> None:
    assert client.post(KLING_3).status_code == 405


def test_all_models_are_listed_with_what_the_catalogue_says_of_them(look: Look) -> None:
    page = look(KLING_3)
    listed = {row[0]: (row[1], row[2]) for row in page.rows if row[0].startswith("kling-")}
    assert listed == {spec.id: (spec.description, spec.stability) for spec in catalog.SPECS}
    assert listed["kling-v3-text-to-video"][1] == videos.MOST_STABLE == "Most stable, for production."


def test_every_capability_has_words(look: Look) -> None:
    used = {name for spec in catalog.SPECS for name in spec.capabilities}
    assert used == set(wording.CAPABILITIES)


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_a_model_shows_every_field_of_its_schema(look: Look, spec: catalog.Spec) -> None:
    page, schema = look(f"/models/{spec.id}"), spec.json_schema()
    shown = {row[0] for row in page.rows}
    assert set(spec.root.schema()["properties"]) <= shown
    assert {f"model_params.{name}" for name in schema["properties"]["model_params"]["properties"]} <= shown


def test_free_credits_are_those_of_the_settings(look: Look, settings: Settings) -> None:
    settings.SIGN_UP_CREDITS = 54
    page = look(KLING_3)
    assert "Start with 54 free credits" in page.text and "a video of 10 seconds" in page.text
    settings.SIGN_UP_CREDITS = 0
    page = look(KLING_3)
    assert "free" not in page.text.lower() and "Get an API key" in page.text


def test_limits_are_those_of_the_catalogue(look: Look) -> None:
    text, duration = look(KLING_3).text, kling_v3.ROOT["duration"]
    assert f"3 to {duration.schema()['maximum']} seconds, up to 4K" in text
    assert "in 16:9, 9:16, 1:1." in text and "Up to 6 shots in one video" in text


def test_without_traffic_the_availability_is_honestly_unknown(look: Look) -> None:
    page = look(KLING_3)
    assert page.text.count("Not measured long enough yet") == 2 and "We promise 99.9 %" in page.text
    assert "100 %" not in page.text


def test_the_availability_is_that_of_the_health_report(look: Look) -> None:
    hour = figures.hour_of(timezone.now()) - timedelta(hours=1)
    minutes, refused = (1 << 60) - 1, (1 << 8) - 1
    ModelHour.objects.create(model=kling_v3.T2V, hour=hour, looked=minutes, closed=refused)
    ModelHour.objects.create(model=kling_v3.I2V, hour=hour, looked=minutes)
    page = look(KLING_3)
    assert "86.66 % available, last 30 days" in page.text and "100 % available, last 30 days" in page.text
    assert "Not measured long enough yet" not in page.text


def test_a_member_goes_to_the_console_and_nobody_else_is_told_of_it(owner: Visitor, look: Look) -> None:
    page = read(owner.client.get(KLING_3).content.decode())
    assert "Console" in page.text and "/console/" in page.links and "/account/signup/" not in page.links
    assert "/account/signup/" in look(KLING_3).links


def test_no_other_visitor_is_shown_a_page_that_was_kept(owner: Visitor, client: Client, prices: None) -> None:
    for answer in (owner.client.get(KLING_3), client.get(KLING_3)):
        assert "private" in answer["Cache-Control"] and "Cookie" in answer["Vary"]


def test_the_page_opens_before_there_is_a_price_book(client: Client, db: None) -> None:
    for path in PAGES:
        assert client.get(path).status_code == 200, path


def test_a_person_without_an_organization_sees_everybodys_prices(alice: Person, prices: None) -> None:
    somebody = visitor(alice.membership)
    alice.membership.delete()
    page = read(somebody.client.get(KLING_3).content.decode())
    assert "These are the prices of everybody" in page.text


def test_the_calculators_cells_are_data_and_no_script(client: Client, prices: None) -> None:
    html = client.get(KLING_3).content.decode()
    text = html.partition('<script id="cells" type="application/json">')[2].partition("</script>")[0]
    assert set(json.loads(text)) == {"cells", "creditsPerDollar"}
