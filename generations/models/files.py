"""Files we keep (uploads, our checked copies of reference media, results), and what a task refers to."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts import ids
from accounts.models import Organization
from generations.models.tasks import Leased, Task


class StoredFile(Leased):
    """One file in our storage with what its bytes say. `due_at` rings the face check; `face` is its verdict."""

    PREFIX = "file_"

    class Purpose(models.TextChoices):
        UPLOAD = "upload"
        REFERENCE = "reference", "our copy of reference media"
        RESULT = "result"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="files")
    task = models.ForeignKey(Task, on_delete=models.PROTECT, null=True, blank=True, related_name="files")
    purpose = models.CharField(max_length=10, choices=Purpose)
    storage_name = models.CharField(max_length=300)
    file_name = models.CharField(max_length=200)
    original_name = models.CharField(max_length=200, blank=True)
    upload_path = models.CharField(max_length=200, blank=True)
    mime_type = models.CharField(max_length=40)
    format = models.CharField(max_length=10)
    size_bytes = models.BigIntegerField()
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    duration_seconds = models.DecimalField(max_digits=10, decimal_places=3, null=True, blank=True)
    fps = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    has_audio = models.BooleanField(null=True, blank=True)
    face = models.BooleanField(null=True, blank=True, help_text="Empty: not yet known.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="When the bytes went.")

    class Meta:
        indexes = [
            models.Index(fields=["organization", "purpose", "-id"], name="files_of_an_organization"),
            models.Index(fields=["due_at"], name="files_to_check", condition=Q(due_at__isnull=False)),
            models.Index(
                fields=["expires_at"],
                name="files_that_expire",
                condition=Q(deleted_at__isnull=True, expires_at__isnull=False),
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["storage_name"], name="one_file_per_storage_name")]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.id)

    @property
    def is_video(self) -> bool:
        return self.mime_type.startswith("video/")


class TaskMedia(models.Model):
    """One picture or film that a task's request named, and our checked copy of it once there is one.

    While it waits, `file` is the customer's upload where the request named one. What it must be is said by the
    catalogue, under the model and `role`.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "to be fetched and checked"
        READY = "ready", "our copy is checked"
        UNREACHED = "unreached", "no answer in time: the upstream judges the address"

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="media")
    role = models.CharField(max_length=40)
    param = models.CharField(max_length=200)
    url = models.TextField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "role"], name="one_medium_per_task_and_role")]

    def __str__(self) -> str:
        return f"{self.task} {self.role}"
