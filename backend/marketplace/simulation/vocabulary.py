"""The words that simulated start-ups are described with, industry by industry."""

from typing import NamedTuple


class IndustryWords(NamedTuple):
    """What start-ups of one industry make, for whom, against what, and which tags they carry."""

    name: str
    tags: tuple[str, ...]
    products: tuple[str, ...]
    customers: tuple[str, ...]
    problems: tuple[str, ...]


def _industry(name: str, tags: str, products: str, customers: str, problems: str) -> IndustryWords:
    lists = [tuple(part.strip() for part in text.split("|")) for text in (tags, products, customers, problems)]
    return IndustryWords(name, *lists)


INDUSTRIES = (
    _industry(
        "Health",
        "telemedicine | diagnostics | mental health | elderly care | medical devices",
        "video consultations | early-warning wearables | a triage assistant | shared care plans",
        "family doctors | hospitals | home nurses | patients with chronic illness",
        "long waiting times | missed follow-ups | scattered patient records | late diagnoses",
    ),
    _industry(
        "Finance",
        "payments | lending | personal finance | insurance | accounting",
        "instant invoicing | fair credit scores | a savings coach | automated bookkeeping",
        "freelancers | small shops | young families | accountants",
        "late payments | opaque fees | paperwork at the end of the month | fraud",
    ),
    _industry(
        "Education",
        "language learning | tutoring | early childhood | vocational training | classroom tools",
        "spaced-repetition lessons | on-demand tutors | an exam trainer | virtual workshops",
        "teachers | apprentices | adult learners | primary schools",
        "crowded classes | forgotten vocabulary | dropping out | outdated textbooks",
    ),
    _industry(
        "Climate",
        "solar power | energy storage | carbon accounting | circular economy | heat pumps",
        "rooftop solar planning | second-life batteries | a carbon ledger | repair subscriptions",
        "home owners | city utilities | factories | housing cooperatives",
        "rising energy bills | unreported emissions | discarded electronics | grid overload",
    ),
    _industry(
        "Food",
        "urban farming | food delivery | plant-based food | food waste | restaurants",
        "vertical herb farms | surplus meal boxes | a pea-based cheese | kitchen planning software",
        "restaurants | canteens | supermarkets | hobby cooks",
        "spoiled produce | unpredictable demand | empty tables on weekdays | thin margins",
    ),
    _industry(
        "Mobility",
        "electric vehicles | bike sharing | public transport | logistics | route planning",
        "charging reservations | cargo-bike fleets | a door-to-door trip planner | parcel lockers",
        "commuters | delivery companies | rural towns | fleet managers",
        "traffic jams | empty return trips | missing chargers | the last mile",
    ),
    _industry(
        "Travel",
        "rail travel | outdoor trips | accommodation | business travel | local guides",
        "night-train bookings | hut-to-hut hiking passes | guest-house software | carbon-light itineraries",
        "backpackers | small hotels | travel managers | families with children",
        "overbooked hot spots | confusing fares | off-season vacancies | lost connections",
    ),
    _industry(
        "Property",
        "smart buildings | co-living | construction | renovation | property management",
        "digital site diaries | shared-flat matching | a renovation planner | sensor-driven heating",
        "tenants | site managers | landlords | architects",
        "delayed building sites | empty offices | heat loss | endless forms",
    ),
    _industry(
        "Retail",
        "second hand | local shops | fashion | loyalty | inventory",
        "resale for brands | same-day local delivery | a fitting-room app | stock forecasts",
        "boutiques | bookshops | online sellers | farmers' markets",
        "returned parcels | dead stock | anonymous customers | price pressure",
    ),
    _industry(
        "Games",
        "indie games | e-sports | virtual reality | board games | game tools",
        "co-op puzzle games | tournament hosting | a level editor | physical-digital board games",
        "indie studios | streamers | school clubs | casual players",
        "lonely players | cheating | hidden gems nobody finds | expensive art",
    ),
    _industry(
        "Security",
        "identity | threat detection | encryption | compliance | secure development",
        "passwordless sign-in | anomaly alerts | encrypted file rooms | audit automation",
        "law firms | banks | public offices | software teams",
        "phishing | leaked credentials | audit season | unpatched systems",
    ),
    _industry(
        "Robotics",
        "drones | warehouse robots | agricultural robots | inspection | prosthetics",
        "crop-scouting drones | picking arms | crawling pipe inspectors | printed prosthetic hands",
        "vineyards | warehouses | bridge engineers | clinics",
        "dangerous inspections | staff shortages | back pain | missed defects",
    ),
)

CROSS_TAGS = ("machine learning", "open source", "marketplace", "mobile app", "API", "hardware", "privacy", "community")

TAGS = (*(tag for industry in INDUSTRIES for tag in industry.tags), *CROSS_TAGS)

# Role -> skills. A position asks for skills of one role, a developer has mostly those of one.
ROLES = {
    "backend engineer": ("Python", "Django", "Go", "Java", "PostgreSQL", "Redis"),
    "frontend engineer": ("TypeScript", "React", "Vue", "CSS", "accessibility", "testing"),
    "data scientist": ("machine learning", "statistics", "SQL", "computer vision", "NLP", "data engineering"),
    "mobile developer": ("Swift", "Kotlin", "Flutter", "React Native", "app design", "offline sync"),
    "platform engineer": ("Kubernetes", "Terraform", "Linux", "observability", "networking", "security"),
    "embedded engineer": ("C++", "C", "Rust", "firmware", "ROS", "electronics"),
    "product designer": ("UX research", "Figma", "prototyping", "design systems", "illustration", "usability testing"),
}
SKILLS = tuple(dict.fromkeys(skill for skills in ROLES.values() for skill in skills))

STAGES = ("idea", "prototype", "seed", "series_a", "growth")
STAGE_PHRASES = {
    "idea": "We are at the very beginning and look for the first people who want to shape it.",
    "prototype": "A first prototype is with a handful of pilot users.",
    "seed": "After our seed round we are building the core team.",
    "series_a": "With series A closed, we expand to new markets.",
    "growth": "We serve thousands of customers and are growing fast.",
}
