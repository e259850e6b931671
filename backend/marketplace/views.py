"""Pages for developers and investors."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from backend.marketplace.models import Developer, Investor, Startup

USE_CASES = ((Developer, "developer_startup"), (Investor, "investor_startup"))


@login_required
def startups(request: HttpRequest) -> HttpResponse:
    """Show the start-ups that are recommended to the login; the template asks for them."""
    person, use_case = _who(request)
    return render(request, "marketplace/startups.html", {"person": person, "use_case": use_case})


@login_required
def startup(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show one start-up, and let the script in the page ask for those that are like it."""
    found = get_object_or_404(Startup.objects.published().select_related("industry"), pk=pk)
    _, use_case = _who(request)
    return render(request, "marketplace/startup.html", {"startup": found, "use_case": use_case})


def _who(request: HttpRequest) -> tuple[Developer | Investor | None, str]:
    """Return the login's profile and the use case that it has start-ups recommended in; None and "" without one."""
    for model, use_case in USE_CASES:
        person = model.objects.filter(account=request.user.pk).first()
        if person is not None:
            return person, use_case
    return None, ""
