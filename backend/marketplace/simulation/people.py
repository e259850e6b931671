"""Simulated developers and investors: what they like now, what they will like later, what they say."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from backend.marketplace.simulation.companies import make_uuid, pick
from backend.marketplace.simulation.names import CITIES
from backend.marketplace.simulation.taste import Floats, draw_industries, drifted_interests, tag_interests, top_tags
from backend.marketplace.simulation.vocabulary import INDUSTRIES, ROLES, SKILLS, STAGES
from backend.marketplace.simulation.world import SimulatedDeveloper, SimulatedInvestor

Person = TypeVar("Person")

SHARE_NEW = 0.3  # join while the simulation runs
SHARE_DRIFTING = 0.5
TICKETS = (5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000)


@dataclass(frozen=True)
class Crowd(Generic[Person]):
    """n people and their latent tastes: interests now and later (n, N_TAGS), skills (n, N_SKILLS)."""

    people: list[Person]
    interests: Floats
    later_interests: Floats
    skills: Floats
    days: NDArray[np.float64]


def make_developers(n: int, first_account: int, n_days: int, rng: np.random.Generator) -> Crowd[SimulatedDeveloper]:
    """Return n developers with the accounts from ``first_account`` on."""
    industries = draw_industries(n, rng, 2)
    interests = tag_interests(industries, rng)
    later = drifted_interests(interests, industries, SHARE_DRIFTING, rng)
    days, tags = _joined(n, n_days, rng), top_tags(interests, 3)
    people = [_developer(first_account + row, tags[row], float(days[row]), rng) for row in range(n)]
    return Crowd(people, interests, later, _skill_rows(people), days)


def make_investors(n: int, first_account: int, n_days: int, rng: np.random.Generator) -> Crowd[SimulatedInvestor]:
    """Return n investors with the accounts from ``first_account`` on."""
    industries = draw_industries(n, rng, 3)
    interests = tag_interests(industries, rng)
    later = drifted_interests(interests, industries, SHARE_DRIFTING, rng)
    days, tags = _joined(n, n_days, rng), top_tags(interests, 3)
    names = [tuple(INDUSTRIES[place].name for place in row[:2]) for row in industries]
    people = [_investor(first_account + row, names[row], tags[row], float(days[row]), rng) for row in range(n)]
    return Crowd(people, interests, later, np.zeros((n, len(SKILLS)), dtype=np.float32), days)


def _developer(account: int, tags: tuple[str, ...], day: float, rng: np.random.Generator) -> SimulatedDeveloper:
    role, years = pick(list(ROLES), rng), int(rng.gamma(2.0, 3.0))
    skills = [str(skill) for skill in rng.permutation(ROLES[role])[:4]] + [pick(SKILLS, rng)]
    level = "Junior" if years < 3 else "Senior" if years > 7 else "Experienced"
    return SimulatedDeveloper(
        account=account,
        headline=f"{level} {role}, curious about {tags[0]}",
        about=f"I enjoy working with {skills[0]} and {skills[1]}, ideally on {tags[0]}, {tags[1]} or {tags[2]}.",
        city=pick(CITIES, rng),
        day=day,
        interests=tags,
        skills=tuple(dict.fromkeys(skills)),
        years=years,
    )


def _investor(
    account: int, industries: tuple[str, ...], tags: tuple[str, ...], day: float, rng: np.random.Generator
) -> SimulatedInvestor:
    ticket, stage = int(rng.integers(len(TICKETS) - 1)), pick(STAGES, rng)
    phrase = stage.replace("series_a", "series A")
    return SimulatedInvestor(
        id=make_uuid(rng),
        account=account,
        headline=f"Backs {phrase}-stage companies in {industries[0].lower()} and {industries[1].lower()}",
        about=f"I look for teams that work on {tags[0]}, {tags[1]} or {tags[2]}.",
        city=pick(CITIES, rng),
        day=day,
        interests=tags,
        industries=industries,
        stage=stage,
        ticket_min=TICKETS[ticket],
        ticket_max=TICKETS[min(ticket + int(rng.integers(1, 3)), len(TICKETS) - 1)],
    )


def _joined(n: int, n_days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    days = np.where(rng.random(n) < SHARE_NEW, rng.uniform(0, 0.9 * n_days, n), rng.uniform(-300, 0, n))
    days[:1] = -1.0  # the demo's person is there from the beginning
    return days


def _skill_rows(people: list[SimulatedDeveloper]) -> Floats:
    columns = {skill: column for column, skill in enumerate(SKILLS)}
    rows = np.zeros((len(people), len(SKILLS)), dtype=np.float32)
    for row, person in enumerate(people):
        rows[row, [columns[skill] for skill in person.skills]] = 1.0
    return rows
