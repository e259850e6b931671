"""The pages by name: Django templates."""

HOST = """{% load static %}<!doctype html><html lang="en"><head><title>A host's page</title>
<script src="{% static 'recommender_app/recommender.js' %}" defer></script></head><body>
<button type="button">The host's own</button>
"""

SHORT_LIST = HOST + (
    '<div id="list" data-recommender="books" data-limit="2" data-href="/books/{id}/" data-click="view">Soon.</div>'
)

PAGES = {
    "list": SHORT_LIST,
    "elsewhere": HOST + '<div id="list" data-recommender="books" data-endpoint="/no/such/api/">Our favourites.</div>',
    "unknown": HOST + '<div id="list" data-recommender="boks">Our favourites.</div>',
    "below": HOST + '<p style="height: 300vh">Long.</p>' + SHORT_LIST.removeprefix(HOST),
    "filtered": HOST + '<div id="list" data-recommender="books" data-query="genre=tea"></div>',
    "similar": HOST + '<div id="list" data-recommender="books" data-similar="{{ request.GET.book }}"></div>',
    "token in the page": SHORT_LIST.replace("<div", '<div data-csrf-token="{{ csrf_token }}"'),
    "the host's own": HOST
    + '<ul id="list" data-recommender="books" data-request-id="">'
    + '<li data-recommender-item="{{ request.GET.book }}">Our favourite.</li></ul>',
    "two": HOST + '<div id="list" data-recommender="books"></div><div id="other" data-recommender="boks">Fine.</div>',
    "by the server": HOST
    + '{% load recommender %}{% recommendations "books" limit=2 as books %}'
    + '<ul id="list" data-recommender="books" data-request-id="{{ books.answer.request_id }}" data-click="view">'
    + '{% for book in books %}<li data-recommender-item="{{ book.pk }}"'
    + ' data-recommender-position="{{ book.recommendation.rank }}">{{ book.title }}</li>{% endfor %}</ul>',
}
