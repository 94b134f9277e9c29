"""Every page of the console: its address below the organization's, its view, its name, and what a member must be
allowed to do to open it. tests/console/test_console_permissions.py asks each of them as each role.
"""

from dataclasses import dataclass

from accounts.roles import Act
from evolink_saas.console.entrance import View
from evolink_saas.console.views import elements, files, keys, members, overview, settings, tasks


@dataclass(frozen=True)
class Page:
    route: str
    view: View
    name: str
    act: Act


PAGES: tuple[Page, ...] = (
    Page("", overview.show, "overview", Act.READ),
    Page("sandbox", overview.open_sandbox, "open-sandbox", Act.MANAGE_KEYS),
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
)
