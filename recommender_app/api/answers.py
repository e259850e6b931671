"""How an answer looks in JSON: ``answer_as_json`` builds it, the serializers describe it."""

from __future__ import annotations

from typing import Any

from django.utils.module_loading import import_string
from rest_framework import serializers
from rest_framework.utils.urls import replace_query_param

from recommender_app.serving.answer import Answer, Result
from recommender_app.serving.reasons import REASONS
from recommender_app.serving.router import FALLBACK_REASONS
from recommender_app.usecases.declaration import UseCase


class ItemSerializer(serializers.Serializer[Any]):
    """An item of a use case that declares no ``item_serializer``."""

    id = serializers.ReadOnlyField(source="pk")
    label = serializers.CharField(source="__str__", read_only=True)  # type: ignore[assignment]


class ReasonSerializer(serializers.Serializer[Any]):
    """Why an item is in the list."""

    code = serializers.ChoiceField(REASONS, help_text="The reason for programs.")
    evidence = serializers.ListField(
        child=serializers.JSONField(),
        help_text=(
            "Strongest first: primary keys of items that the requester liked, words of the profile, or the category."
        ),
    )
    text = serializers.CharField(help_text="The same for people, in the language of the request.")


class ResultSerializer(serializers.Serializer[Any]):
    """One place of the list."""

    rank = serializers.IntegerField(help_text="1-based place in the list.")
    id = serializers.JSONField(help_text="The item's primary key: an integer or a string.")
    score = serializers.FloatField(help_text="Higher is better; comparable within one source only.")
    source = serializers.CharField(  # type: ignore[assignment]
        help_text='Engine that proposed the item; "newest", or "rule" or "exploration" for what they added.'
    )
    item = serializers.DictField(help_text="The item's fields, as the use case's item_serializer writes them.")
    reason = ReasonSerializer(allow_null=True, help_text="Why the item is here; null where nothing can be said.")


class AnswerSerializer(serializers.Serializer[Any]):
    """Which items to show, in which order, and who says so."""

    request_id = serializers.UUIDField(help_text="Names this answer in the request log.")
    use_case = serializers.CharField(help_text="Key of the use case that was asked for.")
    engine = serializers.CharField(help_text='Source of the first result: an engine, "newest" or "none".')
    model_version = serializers.CharField(allow_null=True, help_text="Version of that engine, such as als_v3.")
    fallback_reason = serializers.ChoiceField(
        FALLBACK_REASONS,
        allow_null=True,
        help_text="Why others than the routed engine had to answer, or to add items; null where it gave all of them.",
    )
    interaction_count = serializers.IntegerField(
        help_text="Distinct (item, event) pairs of the user; 0 for similar items, which need none."
    )
    results = ResultSerializer(many=True, help_text="Unique items, best first.")
    next = serializers.URLField(
        allow_null=True, help_text="The page after this one; null at the end, and unless cursor=first was asked for."
    )


def answer_as_json(answer: Answer, use_case: UseCase, context: dict[str, Any]) -> dict[str, Any]:
    """Return the answer as JSON values.

    Args:
        context: for the host's serializer, as in any DRF view.
    """
    items = item_serializer(use_case)([result.item for result in answer.results], many=True, context=context).data
    return {
        "request_id": str(answer.request_id),
        "use_case": answer.use_case,
        "engine": answer.engine,
        "model_version": answer.model_version or None,
        "fallback_reason": answer.fallback_reason or None,
        "interaction_count": answer.interaction_count,
        "results": [_place_as_json(result, item) for result, item in zip(answer.results, items, strict=True)],
        "next": _next_page(answer, context["request"]),
    }


def _place_as_json(result: Result, item: Any) -> dict[str, Any]:
    reason = result.reason
    return {
        "rank": result.rank,
        "id": result.id,
        "score": result.score,
        "source": result.source,
        "item": item,
        "reason": {"code": reason.code, "evidence": list(reason.evidence), "text": reason.text} if reason else None,
    }


def _next_page(answer: Answer, request: Any) -> str | None:
    """Return the address of the request with the cursor of the page after it."""
    if not answer.next_cursor:
        return None
    return replace_query_param(request.build_absolute_uri(), "cursor", answer.next_cursor)


def item_serializer(use_case: UseCase) -> Any:
    """Return the serializer class of a use case's items; it may be declared by its dotted path."""
    declared = use_case.item_serializer or ItemSerializer
    return import_string(declared) if isinstance(declared, str) else declared
