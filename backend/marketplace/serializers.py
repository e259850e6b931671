"""How start-ups and people look in an answer."""

from rest_framework import serializers

from backend.marketplace.models import Developer, Investor, Startup


class Names(serializers.SlugRelatedField):
    """Related labels by their names."""

    def __init__(self, **options: object) -> None:
        super().__init__(slug_field="name", read_only=True, **options)


class StartupSerializer(serializers.ModelSerializer):
    """What a person sees of a start-up."""

    industry = Names()
    tags = Names(many=True)

    class Meta:
        model = Startup
        fields = ["id", "name", "pitch", "industry", "stage", "location", "tags", "created_at"]
        read_only_fields = fields


class DeveloperSerializer(serializers.ModelSerializer):
    """What a start-up sees of a developer."""

    skills = Names(many=True)

    class Meta:
        model = Developer
        fields = ["id", "name", "headline", "location", "years_of_experience", "skills"]
        read_only_fields = fields


class InvestorSerializer(serializers.ModelSerializer):
    """What a start-up sees of an investor."""

    industries = Names(many=True)

    class Meta:
        model = Investor
        fields = ["id", "name", "headline", "location", "preferred_stage", "ticket_min", "ticket_max", "industries"]
        read_only_fields = fields
