"""How long a model usually takes: the median of what it completed lately, else the catalogue's constant.

Every POST asks, so each process keeps the medians for a minute; they come from the roll-up alone, by one statement.
"""

from collections import Counter, defaultdict
from datetime import timedelta

from django.utils import timezone

from generations import figures, histogram
from generations.catalog.base import Spec
from generations.models import ModelHourTime
from generations.short_lived import ShortLived

LOOK_BACK = timedelta(hours=24)
MINIMUM_TASKS = 20
KEPT_SECONDS = 60


def seconds(spec: Spec) -> int:
    """Whole seconds from a provider's acceptance to the result, at least 1."""
    return medians().get(spec.id, spec.estimated_seconds)


def _fetch() -> dict[str, int]:
    until = figures.hour_of(timezone.now())
    made: dict[str, Counter[int]] = defaultdict(Counter)
    for model, kind, bucket, tasks in figures.times(until - LOOK_BACK, until):
        if kind == ModelHourTime.Kind.MAKING:
            made[model][bucket] += tasks
    enough = {model: buckets for model, buckets in made.items() if buckets.total() >= MINIMUM_TASKS}
    return {model: max(1, round(histogram.percentile(buckets, 0.5))) for model, buckets in enough.items()}


medians = ShortLived(_fetch, seconds=KEPT_SECONDS)
