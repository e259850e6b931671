"""Start-ups and their positions."""

from collections.abc import Sequence
from typing import Any

from backend.marketplace.loading.clock import BATCH, Clock
from backend.marketplace.loading.labels import label_ids, write_links
from backend.marketplace.models import Industry, Position, Skill, Startup, Tag
from backend.marketplace.simulation.world import SimulatedStartup


def write_startups(startups: Sequence[SimulatedStartup], accounts: Sequence[Any], clock: Clock) -> list[list[Position]]:
    """Create the start-ups; return the positions of each, in order."""
    industries = label_ids(Industry, (startup.industry for startup in startups))
    Startup.objects.bulk_create(
        [
            Startup(
                id=startup.id,
                owner=accounts[startup.owner],
                name=startup.name,
                pitch=startup.pitch,
                description=startup.description,
                industry_id=industries[startup.industry],
                stage=startup.stage,
                location=startup.city,
                is_published=startup.is_published,
                created_at=clock.at(startup.day),
            )
            for startup in startups
        ],
        batch_size=BATCH,
    )
    tags = label_ids(Tag, (tag for startup in startups for tag in startup.tags))
    write_links(
        Startup.tags.through,
        ({"startup_id": startup.id, "tag_id": tags[tag]} for startup in startups for tag in startup.tags),
    )
    return _write_positions(startups, clock)


def _write_positions(startups: Sequence[SimulatedStartup], clock: Clock) -> list[list[Position]]:
    by_startup = [
        [
            Position(startup_id=startup.id, title=job.title, is_open=job.is_open, created_at=clock.at(startup.day))
            for job in startup.positions
        ]
        for startup in startups
    ]
    Position.objects.bulk_create([position for positions in by_startup for position in positions], batch_size=BATCH)
    jobs = [job for startup in startups for job in startup.positions]
    skills = label_ids(Skill, (skill for job in jobs for skill in job.skills))
    made = [position for positions in by_startup for position in positions]
    write_links(
        Position.skills.through,
        (
            {"position_id": position.pk, "skill_id": skills[skill]}
            for position, job in zip(made, jobs, strict=True)
            for skill in job.skills
        ),
    )
    return by_startup
