"""Load one simulation, once."""

from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import transaction

from backend.marketplace.loading.accounts import LoadingError, write_accounts
from backend.marketplace.loading.clock import Advance, Clock
from backend.marketplace.loading.interactions import (
    write_applications,
    write_looks_at_people,
    write_looks_at_startups,
)
from backend.marketplace.loading.people import write_developers, write_investors
from backend.marketplace.loading.startups import write_startups
from backend.marketplace.models import Simulation
from backend.marketplace.simulation.world import Scale, World


def find_loaded(scale: Scale, seed: int) -> Simulation | None:
    """Return the simulation with these parameters, if it is loaded.

    Raises:
        LoadingError: another one is.
    """
    loaded = Simulation.objects.order_by("pk").first()
    if loaded is None or _parameters(loaded) == {"seed": seed, **vars(scale)}:
        return loaded
    raise LoadingError(f"Another simulation is loaded ({loaded}): --replace removes it first.")


@transaction.atomic
def load_world(
    world: World, scale: Scale, seed: int, *, end: datetime, password: str, replace: bool, advance: Advance
) -> Simulation:
    """Write everything in one transaction; ``end`` is the moment after the last simulated day.

    ``replace`` removes what an earlier simulation made, and only that. ``advance`` counts interactions.
    """
    if replace:
        remove_simulations()
    clock = Clock(end, scale.n_days)
    accounts = write_accounts(world.accounts, password)
    simulation = Simulation.objects.create(seed=seed, **vars(scale))
    simulation.accounts.add(*accounts)
    positions = write_startups(world.startups, accounts, clock)
    developers = write_developers(world.developers, accounts, clock)
    investors = write_investors(world.investors, accounts, clock)
    write_looks_at_startups(world.developer_events, "developer", developers, world, clock, advance)
    write_applications(world, developers, positions, clock, advance)
    write_looks_at_startups(world.investor_events, "investor", investors, world, clock, advance)
    write_looks_at_people(world.recruiting_events, "developer", developers, world, clock, advance)
    write_looks_at_people(world.funding_events, "investor", investors, world, clock, advance)
    return simulation


def remove_simulations() -> None:
    """Delete the simulated logins and whatever hangs on them; names of industries, tags and skills stay."""
    made = Simulation.accounts.through._default_manager.values("user_id")
    get_user_model()._default_manager.filter(pk__in=made).delete()
    Simulation.objects.all().delete()


def _parameters(simulation: Simulation) -> dict[str, int]:
    return {name: getattr(simulation, name) for name in ("seed", *vars(Scale()))}
