"""The whole simulation from one seed."""

import numpy as np
from numpy.typing import NDArray

from backend.marketplace.simulation.browsing import Targets, Visitors, browse
from backend.marketplace.simulation.companies import Companies, make_companies
from backend.marketplace.simulation.names import person_names
from backend.marketplace.simulation.people import Crowd, make_developers, make_investors
from backend.marketplace.simulation.reactions import DEVELOPERS, PEOPLE, STARTUPS, Reaction, react
from backend.marketplace.simulation.taste import Floats, unit_rows
from backend.marketplace.simulation.world import Events, Scale, SimulatedAccount, World

SKILL_SHARE = 0.5  # how much skills count for a developer, against interests
SHARE_OWNING_DEVELOPERS = 0.1  # of the start-ups belong to a developer
STARTUPS_OF_FIRST_FOUNDER = 3
SESSIONS_OF_FIRST = 12


def simulate(scale: Scale, seed: int) -> World:
    """Return the same world for the same scale and seed, whatever else happens in the process."""
    rngs = [np.random.default_rng(stream) for stream in np.random.SeedSequence(seed).spawn(8)]
    n_people, n_days = scale.n_developers + scale.n_investors, scale.n_days
    developers = make_developers(scale.n_developers, 0, n_days, rngs[0])
    investors = make_investors(scale.n_investors, scale.n_developers, n_days, rngs[1])
    owners = _owners(scale, rngs[2])
    companies = make_companies(owners, n_days, rngs[2])
    n_accounts = max(n_people, int(owners.max(initial=-1)) + 1)
    return World(
        accounts=_accounts(scale, n_accounts, rngs[3]),
        startups=companies.startups,
        developers=developers.people,
        investors=investors.people,
        developer_events=_look_at_startups(developers, companies, DEVELOPERS, n_days, rngs[4]),
        investor_events=_look_at_startups(investors, companies, PEOPLE, n_days, rngs[5]),
        recruiting_events=_look_at_people(companies, developers, n_days, rngs[6]),
        funding_events=_look_at_people(companies, investors, n_days, rngs[7]),
    )


def _owners(scale: Scale, rng: np.random.Generator) -> NDArray[np.int64]:
    first_founder = scale.n_developers + scale.n_investors
    n_founders = max(1, scale.n_startups * 2 // 3)
    owners = first_founder + rng.integers(n_founders, size=scale.n_startups)
    owners[:STARTUPS_OF_FIRST_FOUNDER] = first_founder
    if scale.n_developers:
        is_developers = rng.random(scale.n_startups) < SHARE_OWNING_DEVELOPERS
        is_developers[:STARTUPS_OF_FIRST_FOUNDER] = False
        owners[is_developers] = rng.integers(scale.n_developers, size=int(is_developers.sum()))
    return owners


def _accounts(scale: Scale, n: int, rng: np.random.Generator) -> list[SimulatedAccount]:
    accounts = []
    for place, (first, last) in enumerate(person_names(n, rng)):
        kind, number = "developer", place
        if place >= scale.n_developers + scale.n_investors:
            kind, number = "founder", place - scale.n_developers - scale.n_investors
        elif place >= scale.n_developers:
            kind, number = "investor", place - scale.n_developers
        accounts.append(SimulatedAccount(f"demo-{kind}" if number == 0 else f"sim-{kind}-{number}", first, last))
    return accounts


def _look_at_startups(
    crowd: Crowd, companies: Companies, reactions: tuple[Reaction, ...], n_days: int, rng: np.random.Generator
) -> Events:
    visitors = Visitors(
        tastes=_vectors(crowd.interests, crowd.skills),
        later_tastes=_vectors(crowd.later_interests, crowd.skills),
        joined=crowd.days,
        n_sessions=_sessions(len(crowd.people), 5.0, rng),
        accounts=np.array([person.account for person in crowd.people], dtype=np.int64),
    )
    appeared = np.array([s.day if s.is_published else np.inf for s in companies.startups], dtype=np.float64)
    owners = np.array([startup.owner for startup in companies.startups], dtype=np.int64)
    traits = _vectors(companies.tags, companies.skills)
    targets = Targets(traits, rng.normal(size=len(owners)), appeared, owners)
    return react(browse(visitors, targets, n_days, rng), reactions, n_days, rng)


def _look_at_people(companies: Companies, crowd: Crowd, n_days: int, rng: np.random.Generator) -> Events:
    needs = _vectors(companies.tags, companies.skills)
    owners = np.array([startup.owner for startup in companies.startups], dtype=np.int64)
    visitors = Visitors(needs, needs, companies.days, _sessions(len(owners), 2.0, rng), owners)
    accounts = np.array([person.account for person in crowd.people], dtype=np.int64)
    traits = _vectors(crowd.interests, crowd.skills)
    targets = Targets(traits, rng.normal(size=len(accounts)), crowd.days, accounts)
    return react(browse(visitors, targets, n_days, rng), STARTUPS, n_days, rng)


def _vectors(tags: Floats, skills: Floats) -> Floats:
    return unit_rows(np.hstack((unit_rows(tags), SKILL_SHARE * unit_rows(skills))))


def _sessions(n: int, mean: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Few come often, most rarely; the first, whom the demo shows, often enough to know their taste."""
    sessions = 1 + rng.poisson(mean * rng.lognormal(-0.32, 0.8, n))
    sessions[:1] = np.maximum(sessions[:1], SESSIONS_OF_FIRST)
    return sessions
