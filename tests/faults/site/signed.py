"""A login that needs no database, as a host with signed tokens (JWT) has."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.core.signing import BadSignature, Signer
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

KEYWORD = "Signed "


class SignedAuthentication(BaseAuthentication):
    """``Authorization: Signed <signed primary key>``."""

    def authenticate(self, request):
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header.startswith(KEYWORD):
            return None
        try:
            pk = Signer().unsign(header.removeprefix(KEYWORD))
        except BadSignature as error:
            raise AuthenticationFailed from error
        return get_user_model()(pk=int(pk)), None
