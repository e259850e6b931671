"""The toy host's declaration."""

from recommender_app import Interactions, UseCase, register
from recommender_app.exceptions import UserNotFound
from tests.toyhost.models import Book, Reader, Reading


@register
class BooksForReaders(UseCase):
    """Books for readers."""

    key = "books"
    users = Reader
    items = Book
    interactions = Interactions(Reading, user="reader", item="book", event="kind", at="at")
    weights = {"view": 0.5, "like": 2.0, "finish": 3.0, "dislike": -1.0}
    conversions = ("finish",)
    hide_after = ("finish", "dislike")
    item_text = ("title", "blurb")
    item_categories = ("genre",)
    item_numbers = ("pages",)
    user_text = ("bio",)
    changed_at = "updated_at"
    newest_first = ("-created_at", "pk")
    filterset_class = "tests.toyhost.filters.BookFilter"

    def get_items(self, user):
        """Published books."""
        return Book.objects.filter(is_published=True)

    def get_user(self, request):
        """The reader of the login; ``?for=<id>`` where it has several."""
        readers = Reader.objects.filter(account=request.user)
        wanted = request.GET.get("for")
        if wanted is not None and not wanted.isdecimal():
            raise UserNotFound("There is no such reader.")
        reader = readers.filter(pk=wanted).first() if wanted else readers.order_by("pk").first()
        if reader is None:
            raise UserNotFound("This login has no such reader.")
        return reader

    def record(self, user, item, event, at):
        """One reading."""
        return Reading.objects.create(reader=user, book=item, kind=event, at=at)

    def undo_event(self, user, item, event):
        """The readings of that kind go."""
        return Reading.objects.filter(reader=user, book=item, kind=event).delete()

    def forget(self, user_id):
        """The reader's readings go."""
        return Reading.objects.filter(reader_id=user_id).delete()[0]

    def export_user(self, user_id):
        """The reader's biography."""
        return {"bios": list(Reader.objects.filter(pk=user_id).values_list("bio", flat=True))}
