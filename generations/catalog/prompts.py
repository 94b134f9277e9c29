"""References inside a prompt: `<<<element_1>>>` names the first entry of the request's element list."""

import re
from collections.abc import Mapping

from generations.catalog.fields import invalid

REFERENCE = re.compile("<<<([a-z]+)_([0-9]+)>>>")


def check_references(prompt: str, param: str, counts: Mapping[str, int]) -> None:
    """Refuse a prompt that names something the request does not hold.

    `counts` says by kind how many there are, such as {"element": 2}; kinds it does not name are left alone.
    """
    for kind, number in REFERENCE.findall(prompt):
        if kind in counts and number not in {str(position) for position in range(1, counts[kind] + 1)}:
            raise invalid(
                param, f"{param} names {kind} {number[:6]}, and the number of {kind}s given is {counts[kind]}."
            )
