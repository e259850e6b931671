"""Names of simulated people, places and companies."""

import numpy as np


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST = _words(
    "Ada Amir Ana Aisha Ben Carla Chen Dana David Elif Emma Erik Fatima Felix Grace Hana Hugo Ines Ivan Jonas Julia "
    "Kofi Lena Liam Lucia Maja Marco Mei Mila Nadia Noah Nora Omar Paul Petra Priya Rosa Ravi Sam Sara Sofia Tariq "
    "Theo Tomas Uma Vera Viktor Yara Yusuf Zoe"
)
LAST = _words(
    "Adeyemi Ahmed Andersen Bauer Bianchi Brandt Castro Cohen Costa Dubois Eriksen Farkas Fischer Garcia Haddad "
    "Horvat Ivanova Jansen Kaya Keller Khan Kim Kowalska Larsen Lehmann Lopez Marin Mendes Mori Nakamura Novak "
    "Okafor Olsen Patel Petrov Quinn Reyes Rossi Sato Schmidt Silva Singh Sorensen Tanaka Torres Varga "
    "Weber Wong Yilmaz"
)
CITIES = _words(
    "Amsterdam Athens Barcelona Berlin Bologna Bratislava Brussels Copenhagen Dublin Gdansk Graz Hamburg Helsinki "
    "Krakow Lisbon Ljubljana London Lyon Madrid Milan Munich Oslo Paris Porto Prague Riga Stockholm Tallinn "
    "Vienna Zurich"
)
FIRST_HALVES = _words(
    "Amber Anchor Arbor Aster Beacon Birch Blue Bright Cedar Clear Cloud Cobalt Coral Crisp Delta Ember Fable Fern "
    "Field Flint Fox Glow Green Harbor Hazel Honey Indigo Iron Juniper Kite Lantern Lark Lumen Lunar Maple Meadow Mint "
    "Moss North Nova Oak Opal Open Orbit Otter Pebble Pine Plum Polar Quartz Quiet River Sage Silver Spark Stone Swift "
    "Tidal True Velvet Violet Willow"
)
SECOND_HALVES = _words(
    "base bridge craft dock field flow forge gate grove hub kind lab leaf line link loop mind nest path point port "
    "shift side spot stack track wave way works yard"
)


def person_names(n: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Return n (first name, last name), not necessarily distinct."""
    firsts, lasts = rng.integers(len(FIRST), size=n), rng.integers(len(LAST), size=n)
    return [(FIRST[first], LAST[last]) for first, last in zip(firsts, lasts, strict=True)]


def company_names(n: int, rng: np.random.Generator) -> list[str]:
    """Return n distinct names, "Amberloop"; once these are used up, "Amberloop Vienna", then numbered."""
    order = rng.permutation(len(FIRST_HALVES) * len(SECOND_HALVES))
    cities = rng.permutation(len(CITIES))
    return [_company_name(order, cities, place) for place in range(n)]


def _company_name(order: np.ndarray, cities: np.ndarray, place: int) -> str:
    turn, number = divmod(place, len(order))
    first, second = divmod(int(order[number]), len(SECOND_HALVES))
    name = FIRST_HALVES[first] + SECOND_HALVES[second]
    if turn == 0:
        return name
    round_, city = divmod(turn - 1, len(CITIES))
    name = f"{name} {CITIES[cities[city]]}"
    return name if round_ == 0 else f"{name} {round_ + 1}"
