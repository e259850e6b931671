"""Developers and investors."""

from collections.abc import Sequence
from typing import Any

from backend.marketplace.loading.clock import BATCH, Clock
from backend.marketplace.loading.labels import label_ids, write_links
from backend.marketplace.models import Developer, Industry, Investor, Skill, Tag
from backend.marketplace.simulation.world import SimulatedDeveloper, SimulatedInvestor


def write_developers(people: Sequence[SimulatedDeveloper], accounts: Sequence[Any], clock: Clock) -> list[Developer]:
    """Create the developers and return them in order."""
    made = [Developer(**_profile(person, accounts, clock), years_of_experience=person.years) for person in people]
    Developer.objects.bulk_create(made, batch_size=BATCH)
    _link(Developer.interests.through, "developer_id", made, "tag_id", Tag, [person.interests for person in people])
    _link(Developer.skills.through, "developer_id", made, "skill_id", Skill, [person.skills for person in people])
    return made


def write_investors(people: Sequence[SimulatedInvestor], accounts: Sequence[Any], clock: Clock) -> list[Investor]:
    """Create the investors and return them in order."""
    made = [
        Investor(
            **_profile(person, accounts, clock),
            id=person.id,
            preferred_stage=person.stage,
            ticket_min=person.ticket_min,
            ticket_max=person.ticket_max,
        )
        for person in people
    ]
    Investor.objects.bulk_create(made, batch_size=BATCH)
    industries = [person.industries for person in people]
    _link(Investor.interests.through, "investor_id", made, "tag_id", Tag, [person.interests for person in people])
    _link(Investor.industries.through, "investor_id", made, "industry_id", Industry, industries)
    return made


def _profile(person: SimulatedDeveloper | SimulatedInvestor, accounts: Sequence[Any], clock: Clock) -> dict[str, Any]:
    account = accounts[person.account]
    return {
        "account": account,
        "name": account.get_full_name(),
        "headline": person.headline,
        "about": person.about,
        "location": person.city,
        "created_at": clock.at(person.day),
    }


def _link(
    through: Any, own_column: str, people: Sequence[Any], column: str, model: Any, names: Sequence[Sequence[str]]
) -> None:
    ids = label_ids(model, (name for own in names for name in own))
    write_links(
        through,
        ({own_column: person.pk, column: ids[name]} for person, own in zip(people, names, strict=True) for name in own),
    )
