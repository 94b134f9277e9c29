"""Elements (reusable characters), where each lives upstream, the images that can rebuild it, and the voices."""

from django.db import models
from django.utils import timezone

from accounts import ids
from accounts.models import Organization
from generations.models.files import StoredFile
from generations.models.providers import ProviderAccount
from generations.models.tasks import Task


class Voice(models.Model):
    """A voice an element may speak with. Operators extend the table."""

    voice_id = models.CharField(max_length=40, primary_key=True)
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=120, blank=True)
    enabled = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "voice_id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.voice_id})"


class Element(models.Model):
    """A character made by a task. Customers know it by the digits of `id`."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_number, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="elements")
    task = models.OneToOneField(Task, on_delete=models.PROTECT, related_name="element")
    name = models.CharField(max_length=20)
    description = models.CharField(max_length=100)
    kind = models.CharField(max_length=12, choices=[("image_refer", "images"), ("video_refer", "a video")])
    voice = models.ForeignKey(Voice, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "-id"], name="elements_of_an_organization")]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


class ElementSource(models.Model):
    """A file the element was made from, kept so that it can be rebuilt or sent inline elsewhere."""

    element = models.ForeignKey(Element, on_delete=models.CASCADE, related_name="sources")
    role = models.CharField(max_length=40)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["element", "role"], name="one_source_per_element_and_role")]

    def __str__(self) -> str:
        return f"{self.element} {self.role}"


class ElementCopy(models.Model):
    """The element as one provider account knows it."""

    element = models.ForeignKey(Element, on_delete=models.CASCADE, related_name="copies")
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="+")
    upstream_id = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["element", "account"], name="one_copy_per_element_and_account"),
            models.UniqueConstraint(fields=["account", "upstream_id"], name="one_element_per_upstream_id"),
        ]

    def __str__(self) -> str:
        return f"{self.element} at {self.account}"
