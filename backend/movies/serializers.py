"""How a movie looks in an answer."""

from rest_framework import serializers

from backend.movies.models import Movie


class MovieSerializer(serializers.ModelSerializer):
    """What a client needs to show a movie."""

    genres = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)

    class Meta:
        model = Movie
        fields = ["id", "title", "release_year", "genres"]
        read_only_fields = fields
