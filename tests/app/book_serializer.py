"""A host's serializer, named by its dotted path."""

from rest_framework import serializers

from tests.toyhost.models import Book


class BookSerializer(serializers.ModelSerializer):
    """Fields of the model, one that is not finite, and one that needs the request."""

    depth = serializers.SerializerMethodField()
    asked_at = serializers.SerializerMethodField()

    class Meta:
        model = Book
        fields = ["title", "genre", "depth", "asked_at"]

    def get_depth(self, _book):
        return float("nan")

    def get_asked_at(self, _book):
        return self.context["request"].path
