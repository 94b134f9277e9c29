"""How a view is written into the OpenAPI document: what it answers, and what it refuses."""

from drf_spectacular.openapi import AutoSchema


class Schema(AutoSchema):
    """drf-spectacular's schema of one operation."""
