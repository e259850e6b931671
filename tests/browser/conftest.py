"""Debian's Chromium, and a reader who is logged in to a small library."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from django.db import OperationalError
from django.test import Client
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.app import library
from tests.services import find_binary, require

SECONDS = 30


@pytest.fixture(scope="session")
def chromium() -> Iterator[webdriver.Chrome]:
    """A browser without a window; its console is kept."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(require(find_binary("chromium"), "chromium"))
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=900,700"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(str(require(find_binary("chromedriver"), "chromium-driver")))
    driver = webdriver.Chrome(options, service)
    yield driver
    driver.quit()


class Visitor:
    """Somebody at the site with the browser."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver, self.url = driver, url

    def log_in(self, account) -> None:
        client = Client()
        client.force_login(account)
        self.driver.get(f"{self.url}/books/00000000-0000-0000-0000-000000000000/")
        self.driver.delete_all_cookies()
        self.driver.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})

    def open(self, path: str, state: str = "") -> None:
        """Open a page, and wait until its list is ``shown``, ``empty`` or ``failed``."""
        self.driver.get_log("browser")  # forgets what was before
        self.driver.get(self.url + path)
        if state:
            self.wait(lambda: self.find("#list").get_attribute("data-recommender-state") == state)

    def wait(self, is_so) -> None:
        def holds(_):
            with contextlib.suppress(OperationalError):  # SQLite, while the server writes
                return is_so()

        WebDriverWait(self.driver, SECONDS, poll_frequency=0.1).until(holds)

    def find(self, selector: str):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        return [element.text for element in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def console(self) -> list[str]:
        return [line["message"] for line in self.driver.get_log("browser")]


@pytest.fixture
def visitor(chromium, live_server, settings) -> Visitor:
    """A logged-in reader's browser."""
    settings.ROOT_URLCONF = "tests.browser.site"
    reader = library.add_reader()
    visitor = Visitor(chromium, live_server.url)
    visitor.log_in(reader.account)
    return visitor
