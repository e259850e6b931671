"""What an ordinary DRF view costs here: the same login, one SELECT, one INSERT with commit."""

from __future__ import annotations

import os

import numpy as np
from django.utils import timezone
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from recommender_app.api.answers import ItemSerializer
from recommender_app.serving import live
from tests.toyhost.models import Book, Reader, Reading

N_SHOWN = 10


class PlainView(APIView):
    """The ten newest books, and a row that says so."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]

    def get(self, request):
        """Read ten rows, write one."""
        books = list(Book.objects.filter(is_published=True).order_by("-created_at")[:N_SHOWN])
        reader = Reader(pk=request.user.pk)
        Reading.objects.create(reader=reader, book=books[0], kind="shown", at=timezone.now())
        return Response({"results": ItemSerializer(books, many=True).data})


class TouchView(APIView):
    """Reads every page of every model array in whichever worker answers, and names it."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]

    def get(self, request):
        """Touch, and say in which process."""
        release = live.current("books")
        total = 0.0
        for artifact in release.artifacts.values():
            for array in artifact.engine.state().values():
                if array.dtype.kind in "fiu" and array.size:
                    total += float(np.ascontiguousarray(array).reshape(-1).view(np.uint8)[::1024].sum())
        return Response({"pid": os.getpid(), "parent": os.getppid(), "sum": total})
