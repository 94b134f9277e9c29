"""What each role may do: the whole table, so that nobody widens it by accident."""

import pytest

from accounts import roles
from accounts.errors import Forbidden
from accounts.models import Membership, Role
from accounts.roles import Act

OWNER, ADMIN, DEVELOPER, VIEWER = Role.OWNER, Role.ADMIN, Role.DEVELOPER, Role.VIEWER
TABLE = {
    Act.READ: {OWNER, ADMIN, DEVELOPER, VIEWER},
    Act.GENERATE: {OWNER, ADMIN, DEVELOPER},
    Act.MANAGE_KEYS: {OWNER, ADMIN, DEVELOPER},
    Act.MANAGE_CALLBACKS: {OWNER, ADMIN, DEVELOPER},
    Act.SPEND: {OWNER, ADMIN},
    Act.MANAGE_MEMBERS: {OWNER, ADMIN},
    Act.CHANGE_SETTINGS: {OWNER, ADMIN},
    Act.TRANSFER: {OWNER},
}


def test_the_table_is_this_one() -> None:
    assert {act: {role for role in Role if roles.may(Membership(role=role), act)} for act in Act} == TABLE


@pytest.mark.parametrize("act", Act)
def test_whoever_may_not_is_refused(act: Act) -> None:
    for role in Role:
        if role in TABLE[act]:
            roles.check(Membership(role=role), act)
        else:
            with pytest.raises(Forbidden) as refused:
                roles.check(Membership(role=role), act)
            assert refused.value.code == "role_not_allowed"
