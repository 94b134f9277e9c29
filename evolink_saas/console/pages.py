"""Every page of the console: its address below the organization's, its view, its name, and what a member must be
allowed to do to open it. tests/console/test_console_permissions.py asks each of them as each role.
"""

from dataclasses import dataclass

from accounts.roles import Act
from evolink_saas.console.entrance import View
from evolink_saas.console.views import (
    billing,
    callbacks,
    elements,
    files,
    keys,
    limits,
    members,
    overview,
    playground,
    playground_calls,
    settings,
    statements,
    tasks,
    top_ups,
    usage,
)


@dataclass(frozen=True)
class Page:
    route: str
    view: View
    name: str
    act: Act


PAGES: tuple[Page, ...] = (
    Page("", overview.show, "overview", Act.READ),
    Page("sandbox", overview.open_sandbox, "open-sandbox", Act.MANAGE_KEYS),
    Page("playground", playground.show, "playground", Act.READ),
    Page("playground/compare", playground.compare, "playground-compare", Act.READ),
    Page("playground/history", playground.history, "playground-history", Act.READ),
    Page("playground/run", playground.run, "playground-run", Act.GENERATE),
    Page("playground/price", playground_calls.price, "playground-price", Act.GENERATE),
    Page("playground/files", playground_calls.upload, "playground-upload", Act.GENERATE),
    Page("playground/tasks/<str:task_id>", playground_calls.task, "playground-task", Act.READ),
    Page("playground/tasks/<str:task_id>/cancel", playground_calls.cancel, "playground-cancel", Act.GENERATE),
    Page("tasks", tasks.listing, "tasks", Act.READ),
    Page("tasks/<str:task_id>", tasks.show, "task", Act.READ),
    Page("tasks/<str:task_id>/cancel", tasks.cancel, "task-cancel", Act.GENERATE),
    Page("tasks/<str:task_id>/callbacks/<str:delivery_id>", tasks.redeliver, "task-redeliver", Act.MANAGE_CALLBACKS),
    Page("elements", elements.listing, "elements", Act.READ),
    Page("elements/<str:element_id>/delete", elements.delete, "element-delete", Act.GENERATE),
    Page("files", files.listing, "files", Act.READ),
    Page("files/upload", files.upload, "file-upload", Act.GENERATE),
    Page("files/<str:file_id>/delete", files.delete, "file-delete", Act.GENERATE),
    Page("pictures/<str:file_id>", files.picture, "picture", Act.READ),
    Page("keys", keys.listing, "keys", Act.READ),
    Page("keys/new", keys.create, "key-new", Act.MANAGE_KEYS),
    Page("keys/<str:key_id>", keys.change, "key", Act.MANAGE_KEYS),
    Page("keys/<str:key_id>/roll", keys.roll, "key-roll", Act.MANAGE_KEYS),
    Page("keys/<str:key_id>/revoke", keys.revoke, "key-revoke", Act.MANAGE_KEYS),
    Page("keys/<str:key_id>/resume", keys.resume, "key-resume", Act.MANAGE_KEYS),
    Page("members", members.listing, "members", Act.READ),
    Page("members/invite", members.invite, "member-invite", Act.MANAGE_MEMBERS),
    Page("members/leave", members.leave, "member-leave", Act.READ),
    Page("members/<int:number>/role", members.change_role, "member-role", Act.MANAGE_MEMBERS),
    Page("members/<int:number>/remove", members.remove, "member-remove", Act.MANAGE_MEMBERS),
    Page("members/<int:number>/transfer", members.transfer, "member-transfer", Act.TRANSFER),
    Page("invitations/<str:invitation_id>/revoke", members.revoke, "invitation-revoke", Act.MANAGE_MEMBERS),
    Page("invitations/<str:invitation_id>/again", members.invite_again, "invitation-again", Act.MANAGE_MEMBERS),
    Page("settings", settings.show, "settings", Act.READ),
    Page("settings/organization", settings.change_organization, "settings-organization", Act.CHANGE_SETTINGS),
    Page("usage", usage.show, "usage", Act.READ),
    Page("usage.csv", usage.csv, "usage-csv", Act.READ),
    Page("billing", billing.show, "billing", Act.READ),
    Page("billing/voucher", billing.redeem, "voucher", Act.SPEND),
    Page("billing/movements", billing.ledger, "movements", Act.READ),
    Page("billing/top-ups", top_ups.listing, "top-ups", Act.READ),
    Page("billing/top-ups/new", top_ups.buy, "top-up", Act.SPEND),
    Page("billing/auto-recharge", top_ups.auto_recharge, "auto-recharge", Act.READ),
    Page("billing/auto-recharge/change", top_ups.set_auto_recharge, "auto-recharge-change", Act.SPEND),
    Page("billing/auto-recharge/resume", top_ups.resume, "auto-recharge-resume", Act.SPEND),
    Page("billing/statements", statements.listing, "statements", Act.READ),
    Page("billing/statements/<str:month>.<str:kind>", statements.file, "statement", Act.READ),
    Page("billing/limits", limits.show, "limits", Act.READ),
    Page("billing/limits/cap", limits.set_cap, "cap", Act.SPEND),
    Page("billing/limits/thresholds", limits.set_thresholds, "thresholds", Act.SPEND),
    Page("billing/limits/guard", limits.set_guard, "guard", Act.SPEND),
    Page("billing/limits/members/<int:number>", limits.set_notify, "notify", Act.READ),
    Page("callbacks", callbacks.listing, "callbacks", Act.READ),
    Page("callbacks/secret", callbacks.secret, "callback-secret", Act.MANAGE_CALLBACKS),
    Page("callbacks/secret/rotate", callbacks.rotate, "callback-rotate", Act.MANAGE_CALLBACKS),
    Page("callbacks/test", callbacks.test, "callback-test", Act.MANAGE_CALLBACKS),
    Page("callbacks/<str:delivery_id>", callbacks.one, "callback", Act.READ),
    Page("callbacks/<str:delivery_id>/again", callbacks.again, "callback-again", Act.MANAGE_CALLBACKS),
)
