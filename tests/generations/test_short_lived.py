"""A value that is kept for a short time: fetched once, waited for only the first time."""

import threading
import time

import pytest

from generations.short_lived import ShortLived
from tests.generations.gateway import at_once


class Source:
    """Counts how often it is asked; it answers when it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self) -> int:
        self.asked += 1
        number = self.asked
        assert self.may_answer.wait(timeout=30)
        return number


def test_it_is_fetched_once_until_it_is_old() -> None:
    source = Source()
    value = ShortLived(source, seconds=0.05)
    assert [value(), value(), value()] == [1, 1, 1]
    time.sleep(0.06)
    assert (value(), source.asked) == (2, 2)


def test_it_is_fetched_anew_when_it_was_forgotten() -> None:
    value = ShortLived(Source(), seconds=100)
    assert (value(), value.last()) == (1, 1)
    value.forget()
    assert (value.last(), value()) == (None, 2)


@pytest.mark.django_db
def test_the_first_value_is_fetched_once_for_all_who_wait() -> None:
    source = Source()
    value = ShortLived(source, seconds=100)
    assert at_once([value] * 6) == [1] * 6
    assert source.asked == 1


def test_while_one_fetches_the_others_go_on_with_the_last() -> None:
    source = Source()
    value = ShortLived(source, seconds=0)
    assert value() == 1
    source.may_answer.clear()
    fetching = threading.Thread(target=value)
    fetching.start()
    while source.asked < 2:
        time.sleep(0.001)
    assert value() == 1
    source.may_answer.set()
    fetching.join()
    assert value.last() == 2


def test_a_failure_is_told_and_tried_again() -> None:
    asked = []

    def fetch() -> int:
        asked.append(1)
        if len(asked) == 1:
            raise ValueError("no")
        return 7

    value = ShortLived(fetch, seconds=100)
    with pytest.raises(ValueError, match="no"):
        value()
    assert value() == 7
