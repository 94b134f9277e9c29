"""`manage.py grow_year`: only into an empty database, the same year for the same seed, and how far it is."""

import pytest
from django.core.management import CommandError, call_command

from billing.models import Transfer
from evolink_saas.year import growing
from evolink_saas.year.growing import Plan
from generations.models import Attempt, Task
from tests.cast import Person
from tests.reports.conftest import END

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_refuses_a_database_with_customers(alice: Person) -> None:
    with pytest.raises(CommandError, match="an empty one only"):
        call_command("grow_year", tasks=10)
    assert not Task.objects.exists()


@pytest.mark.parametrize("words", [{"tasks": 0}, {"days": 0}])
def test_a_year_has_a_task_and_a_day(words: dict[str, int]) -> None:
    with pytest.raises(CommandError):
        call_command("grow_year", **words)


def test_it_makes_as_many_tasks_as_asked_and_says_how_far_it_is(
    prices: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("grow_year", tasks=50, days=30)
    assert Task.objects.count() == 50
    captured = capsys.readouterr()
    assert "50 of 50 tasks" in captured.err
    assert "50 tasks of" in captured.out


def test_every_kind_of_movement_and_ending_is_in_a_year(year: Plan) -> None:
    kinds = set(Transfer.objects.values_list("kind", flat=True))
    assert kinds >= {"top_up", "grant", "reserve", "capture", "release", "refund"}
    assert set(Task.objects.values_list("status", flat=True)) == {"completed", "failed", "cancelled"}
    assert Attempt.objects.filter(state="succeeded").exists() and Attempt.objects.filter(state="failed").exists()
    assert Task.objects.latest("finished_at").finished_at <= END
    with pytest.raises(growing.NotEmpty):
        growing.grow(year, lambda done, what: None)
