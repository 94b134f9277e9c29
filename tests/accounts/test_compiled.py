"""Statements that travel together: their order, their rows, and what happens when one of them fails."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.compiled import NEXT, Compiled, Given, Question, ask, in_one_trip, together
from accounts.models import UserGroup

pytestmark = pytest.mark.django_db(transaction=True)

NAMED = Compiled(lambda: UserGroup.objects.filter(name=Given("name")))
NAMES = Compiled(lambda: UserGroup.objects.order_by("name").values_list("name", flat=True))


def new_group(name: str) -> Question:
    sql = "INSERT INTO accounts_usergroup (name, label, multiplier, max_files) VALUES (%s, %s, 1, 100)"
    return Question(text=sql, values=[name, "100%; a 'label'"])


def test_questions_asked_together_each_get_their_rows_in_one_trip() -> None:
    with CaptureQueriesContext(connection) as captured:
        groups, nothing, told, names = together(
            NAMED.given(name="default"), NAMED.given(name="gold"), new_group("silver"), NAMES.given()
        )
    assert [group.name for group in groups] == ["default"]
    assert (nothing, told, names) == ([], [], ["default", "silver"])
    assert len(captured) == 1
    assert UserGroup.objects.get(name="silver").label == "100%; a 'label'"


def test_what_is_asked_for_later_travels_with_the_next_question_and_in_its_order() -> None:
    with transaction.atomic(), in_one_trip(), CaptureQueriesContext(connection) as captured:
        ask(new_group("gold"))
        ask(new_group("silver"))
        assert NAMES() == ["default", "gold", "silver"]
        ask(new_group("bronze"))
    assert [query["sql"].count(NEXT) for query in captured if "usergroup" in query["sql"]] == [2]
    assert NAMES() == ["bronze", "default", "gold", "silver"]


def test_an_answer_comes_with_the_next_trip_or_when_it_is_read() -> None:
    with in_one_trip(), CaptureQueriesContext(connection) as captured:
        early = ask(NAMES.given())
        groups = NAMED(name="default")
        assert ([group.name for group in groups], early.rows) == (["default"], ["default"])
        late = ask(NAMES.given())
        assert late.rows == ["default"]
    assert len(captured) == 2


def test_an_ordinary_query_comes_after_what_was_asked_before_it() -> None:
    with transaction.atomic(), in_one_trip():
        ask(new_group("gold"))
        assert UserGroup.objects.filter(name="gold").exists()


def test_outside_a_trip_a_statement_runs_at_once() -> None:
    ask(new_group("gold"))
    assert UserGroup.objects.filter(name="gold").exists()


def test_a_statement_that_fails_in_a_trip_takes_the_transaction_with_it() -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), in_one_trip():
        ask(new_group("gold"))
        ask(new_group("gold"))
    assert NAMES() == ["default"]


def test_after_an_error_nothing_waits_for_the_next_trip() -> None:
    with pytest.raises(ZeroDivisionError), in_one_trip():
        ask(new_group("gold"))
        raise ZeroDivisionError
    assert NAMES() == ["default"]
