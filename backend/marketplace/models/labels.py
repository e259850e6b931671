"""Names that start-ups and people share."""

from django.db import models


class Label(models.Model):
    """A unique name."""

    name = models.CharField(max_length=50, unique=True)

    class Meta:
        abstract = True
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Industry(Label):
    """Health, finance, ...; a start-up has one, an investor looks at several."""

    class Meta(Label.Meta):
        verbose_name_plural = "industries"


class Tag(Label):
    """A topic of a start-up, and an interest of a person."""


class Skill(Label):
    """What a developer can do and a position asks for."""
