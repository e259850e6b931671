"""Start-ups, people, and what they did with each other."""

from backend.marketplace.models.application import Application
from backend.marketplace.models.interactions import PersonInteraction, StartupInteraction
from backend.marketplace.models.labels import Industry, Skill, Tag
from backend.marketplace.models.people import Developer, Investor
from backend.marketplace.models.position import Position
from backend.marketplace.models.simulation import Simulation
from backend.marketplace.models.startup import Startup

__all__ = [
    "Application",
    "Developer",
    "Industry",
    "Investor",
    "PersonInteraction",
    "Position",
    "Simulation",
    "Skill",
    "Startup",
    "StartupInteraction",
    "Tag",
]
