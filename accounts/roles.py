"""What each role may do in its organization. Pages and domain functions ask this table, and nothing else."""

from enum import StrEnum

from accounts.errors import Forbidden
from accounts.models import Membership, Role


class Act(StrEnum):
    READ = "read"  # everything but secrets: balance, tasks, usage, keys by their names, members
    GENERATE = "generate"  # make and cancel tasks, upload and delete files and elements
    MANAGE_KEYS = "manage_keys"  # make, change, roll and revoke API keys
    MANAGE_CALLBACKS = "manage_callbacks"  # see and rotate the secret, test, send again
    SPEND = "spend"  # top up, redeem vouchers, recharge automatically, set caps and thresholds
    MANAGE_MEMBERS = "manage_members"  # invite, change roles and remove; owners are an owner's business
    CHANGE_SETTINGS = "change_settings"  # the organization's name and how long results are kept
    TRANSFER = "transfer"  # hand the organization over


EVERYBODY = frozenset(Role)
MAKERS = frozenset({Role.OWNER, Role.ADMIN, Role.DEVELOPER})
MANAGERS = frozenset({Role.OWNER, Role.ADMIN})

MAY: dict[Act, frozenset[Role]] = {
    Act.READ: EVERYBODY,
    Act.GENERATE: MAKERS,
    Act.MANAGE_KEYS: MAKERS,
    Act.MANAGE_CALLBACKS: MAKERS,
    Act.SPEND: MANAGERS,
    Act.MANAGE_MEMBERS: MANAGERS,
    Act.CHANGE_SETTINGS: MANAGERS,
    Act.TRANSFER: frozenset({Role.OWNER}),
}


def may(membership: Membership, act: Act) -> bool:
    return membership.role in MAY[act]


def check(membership: Membership, act: Act) -> None:
    """Raise Forbidden `role_not_allowed` unless the member's role may do this."""
    if not may(membership, act):
        raise Forbidden("role_not_allowed", f"Your role in this organization ({membership.role}) does not allow this.")
