"""Readers (integer keys) read books (UUID keys)."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class Reader(models.Model):
    """Who receives recommendations; several may belong to one login."""

    name = models.CharField(max_length=50)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE)
    bio = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    """What is recommended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=100)
    blurb = models.TextField(blank=True)
    genre = models.CharField(max_length=30, blank=True)
    pages = models.IntegerField(null=True)
    is_published = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    def __str__(self) -> str:
        return self.title


class Reading(models.Model):
    """view, like, finish or dislike of a book by a reader."""

    reader = models.ForeignKey(Reader, on_delete=models.CASCADE)
    book = models.ForeignKey(Book, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["reader", "at"])]

    def __str__(self) -> str:
        return f"{self.reader} {self.kind} {self.book}"
