"""Percentiles out of buckets: never more than 10 % from the truth."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generations import histogram

SECONDS = st.lists(st.floats(1, histogram.BOUNDS[-1] * 0.999), min_size=1, max_size=200)


def bucket(seconds: float) -> int:
    return sum(bound <= seconds for bound in histogram.BOUNDS)


@given(seconds=SECONDS, share=st.sampled_from([0.5, 0.95]))
def test_a_percentile_is_at_most_ten_percent_away(seconds: list[float], share: float) -> None:
    rank = max(1, -int(-share * len(seconds) // 1))
    truth = sorted(seconds)[rank - 1]
    told = histogram.percentile(Counter(map(bucket, seconds)), share)
    assert told == pytest.approx(truth, rel=0.12 if truth < 12 else 0.1)


def test_what_is_shorter_than_a_second_and_longer_than_the_last_bound_has_a_bucket() -> None:
    assert histogram.middle(bucket(0.2)) == 0.5
    assert histogram.middle(bucket(10**6)) == round(histogram.BOUNDS[-1])
    assert histogram.BOUNDS[-1] > 4 * 3600


def test_of_ten_equal_ones_every_percentile_is_that_one() -> None:
    assert histogram.percentile({14: 10}, 0.5) == histogram.percentile({14: 10}, 0.95) == histogram.middle(14)
