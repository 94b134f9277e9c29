"""Durations as counts in buckets: percentiles do not add up, counts do.

Each bound is 1.2 times the one before, so the middle that a percentile is told as is at most 10 % away from the truth.
Bucket n holds what is at least bound n - 1 and below bound n; bucket 0 is below one second.
"""

import math
from collections.abc import Mapping

RATIO = 1.2
BOUNDS = tuple(RATIO**exponent for exponent in range(54))
"""Seconds, from 1 to 4 h 22 min."""
EXACT_BELOW_SECONDS = 10


def percentile(buckets: Mapping[int, int], share: float) -> float:
    """The seconds that this share of the counted durations did not exceed. `buckets` holds at least one."""
    rank, passed = math.ceil(share * sum(buckets.values())), 0
    for bucket in sorted(buckets):
        passed += buckets[bucket]
        if passed >= rank:
            return middle(bucket)
    raise ValueError("There is nothing in these buckets.")


def middle(bucket: int) -> float:
    """What a duration in the bucket is told as: whole seconds, except for short ones."""
    if bucket == 0:
        return 0.5
    lower = BOUNDS[min(bucket, len(BOUNDS)) - 1]
    exact = lower if bucket >= len(BOUNDS) else lower * math.sqrt(RATIO)
    return float(round(exact, 1 if exact < EXACT_BELOW_SECONDS else None))
