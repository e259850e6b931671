"""Simulated start-ups: what they do, how they say it, whom they look for."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from backend.marketplace.simulation.names import CITIES, company_names
from backend.marketplace.simulation.taste import Floats, draw_industries, startup_tags
from backend.marketplace.simulation.vocabulary import INDUSTRIES, ROLES, SKILLS, STAGE_PHRASES, STAGES, TAGS
from backend.marketplace.simulation.world import SimulatedPosition, SimulatedStartup

SHARE_PUBLISHED = 0.96
SHARE_NEW = 0.4  # appear while the simulation runs


@dataclass(frozen=True)
class Companies:
    """n start-ups, and what nobody reads: tags (n, N_TAGS) and skills asked for (n, N_SKILLS), 0 or 1."""

    startups: list[SimulatedStartup]
    tags: Floats
    skills: Floats
    days: NDArray[np.float64]


def make_companies(owners: NDArray[np.int64], n_days: int, rng: np.random.Generator) -> Companies:
    """Return one start-up per owner (places of accounts)."""
    n = len(owners)
    industries = draw_industries(n, rng)[:, 0]
    tags = startup_tags(industries, rng)
    names = company_names(n, rng)
    days = np.where(rng.random(n) < SHARE_NEW, rng.uniform(0, n_days, n), rng.uniform(-300, 0, n))
    days[owners == owners[:1]] = -1.0  # the demo's founder is there from the beginning
    startups = [
        _startup(names[row], int(owners[row]), int(industries[row]), tags[row], float(days[row]), rng)
        for row in range(n)
    ]
    return Companies(startups, tags, _asked_skills(startups), days)


def make_uuid(rng: np.random.Generator) -> UUID:
    """Return a version 4 UUID that depends on the generator only."""
    return UUID(bytes=rng.bytes(16), version=4)


def pick(values: tuple[str, ...] | list[str], rng: np.random.Generator) -> str:
    """Return one of the values."""
    return values[rng.integers(len(values))]


def _startup(
    name: str, owner: int, industry: int, tags: Floats, day: float, rng: np.random.Generator
) -> SimulatedStartup:
    words = INDUSTRIES[industry]
    product, customers = pick(words.products, rng), pick(words.customers, rng)
    stage, city = pick(STAGES, rng), pick(CITIES, rng)
    names = tuple(TAGS[tag] for tag in np.flatnonzero(tags))
    description = (
        f"{name} fights {pick(words.problems, rng)}. We offer {product} to {customers}, "
        f"with a focus on {names[0]}, {names[1]} and {names[2]}. {STAGE_PHRASES[stage]} We work from {city}."
    )
    return SimulatedStartup(
        id=make_uuid(rng),
        owner=owner,
        name=name,
        pitch=f"{product[0].upper()}{product[1:]} for {customers}",
        description=description,
        industry=words.name,
        stage=stage,
        tags=names,
        city=city,
        day=day,
        is_published=bool(rng.random() < SHARE_PUBLISHED),
        positions=_positions(rng),
    )


def _positions(rng: np.random.Generator) -> tuple[SimulatedPosition, ...]:
    roles = rng.permutation(list(ROLES))[: 1 + rng.integers(3)]
    return tuple(
        SimulatedPosition(
            title=role[0].upper() + role[1:],
            skills=tuple(str(skill) for skill in rng.permutation(ROLES[str(role)])[:3]),
            is_open=place == 0 or bool(rng.random() < 0.8),
        )
        for place, role in enumerate(str(role) for role in roles)
    )


def _asked_skills(startups: list[SimulatedStartup]) -> Floats:
    columns = {skill: column for column, skill in enumerate(SKILLS)}
    asked = np.zeros((len(startups), len(SKILLS)), dtype=np.float32)
    for row, startup in enumerate(startups):
        for position in startup.positions:
            asked[row, [columns[skill] for skill in position.skills]] = 1.0
    return asked
