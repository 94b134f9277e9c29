"""Every code that customers can read has words of its own, for what happened and for what to do."""

import re
from pathlib import Path

import pytest
from django.utils.functional import Promise

from accounts.errors import Conflict, InvalidRequest, QuotaExceeded
from evolink_saas.console import error_words
from generations.models import Task

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
ANSWERS = set(re.findall(r"^\| \d{3} \| \w+ \| `(\w+)` \|", DOCUMENT, re.MULTILINE))
FAILED_TASKS = set(re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE))
OF_FILES = {"file_too_large", "file_type_not_allowed", "file_quota_exceeded", "url_download_failed", "storage_error"}


def test_every_code_of_a_failed_task_has_words() -> None:
    assert FAILED_TASKS
    assert set(error_words.FAILURES) == FAILED_TASKS


def test_every_code_of_an_answer_has_words() -> None:
    assert ANSWERS
    assert set(error_words.REFUSALS) | set(error_words.ON_PAGES) >= ANSWERS
    assert set(error_words.REFUSALS) <= ANSWERS | OF_FILES


@pytest.mark.parametrize("code", [*error_words.FAILURES, *error_words.REFUSALS])
def test_words_are_two_sentences_that_can_be_translated(code: str) -> None:
    for pair in (error_words.FAILURES.get(code), error_words.REFUSALS.get(code)):
        for words in pair or ():
            assert isinstance(words, Promise)
            assert re.fullmatch(r"[A-Z].*\.", str(words))


def test_a_code_without_words_is_said_as_the_task_says_it() -> None:
    task = Task(error_code="brand_new", error_message="Something new happened.", error_param="prompt")
    said = error_words.of_task(task)
    assert said is not None
    assert (said.what, said.do, said.param) == ("Something new happened.", error_words.SUPPORT, "prompt")


def test_a_task_without_an_error_explains_nothing() -> None:
    assert error_words.of_task(Task()) is None


def test_what_pages_alone_are_refused_has_the_words_of_pages() -> None:
    said = error_words.of_refusal(Conflict("already_member", "Already there."))
    assert (said.what, said.do) == ("This person is a member already.", "")


def test_a_refusal_names_its_field_and_keeps_the_sentence_of_the_api() -> None:
    said = error_words.of_refusal(InvalidRequest("invalid_parameter", "duration must be at most 15.", param="duration"))
    assert said.param == "duration"
    assert said.detail == "duration must be at most 15."
    assert said.what == "A field of the request has a value that is not accepted."


def test_beside_a_field_a_refusal_is_one_line_that_says_as_much_as_is_known() -> None:
    wrong = InvalidRequest("invalid_parameter", "duration must be at most 15.", param="duration")
    assert error_words.refusal(wrong) == "duration must be at most 15."
    poor = QuotaExceeded("account_balance_insufficient", "27 credits are needed.")
    assert error_words.refusal(poor) == (
        "The available credits do not cover the price. Buy credits, or choose a shorter or plainer video."
    )
    assert error_words.refusal(InvalidRequest("missing_parameter", "prompt is required.")) == "This is needed."
    assert error_words.refusal(Conflict("brand_new", "Something new.")) == "Something new."
