"""Places for uploads by URL: an organization has a few, so that it cannot keep every web process downloading."""

from django.db import models

from accounts.models import Organization


class DownloadPlace(models.Model):
    """One of an organization's places, taken until `taken_until`: a web process that dies gives it back that way."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="download_places")
    number = models.PositiveSmallIntegerField()
    taken_until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "number"], name="download_places_of_an_organization_are_numbered"
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization} #{self.number}"
