"""POST /auth/register, /auth/login, /auth/refresh and /auth/logout."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import registering, signing_in
from accounts.api.fields import AddressField, LineField, PasswordField, TextField
from accounts.api.users import UserSerializer
from accounts.models import User
from accounts.models.user import LONGEST_NAME
from accounts.origins import origin_of
from accounts.people import session_of
from accounts.tokens import LONGEST_TOKEN, TokenPair
from chatvista.foundation.throttles import LoginThrottle, RegistrationThrottle


class RegistrationSerializer(serializers.Serializer[Any]):
    """A new account. Without `organization` it gets one of its own, called like the person."""

    email = AddressField()
    password = PasswordField()
    name = LineField(max_length=LONGEST_NAME)
    organization = LineField(max_length=LONGEST_NAME, required=False)


class LoginSerializer(serializers.Serializer[Any]):
    """What proves who somebody is."""

    email = AddressField()
    password = PasswordField()


class RefreshSerializer(serializers.Serializer[Any]):
    """A refresh token that has not been used yet."""

    refresh = TextField(max_length=LONGEST_TOKEN)


class TokenPairSerializer(serializers.Serializer[Any]):
    """The access token opens the API for minutes; the refresh token is exchanged once for the next pair."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class SignedInSerializer(TokenPairSerializer):
    """A user and the tokens of their new session."""

    user = UserSerializer()


class CredentialView(APIView):
    """Base of what works without a token: an expired one that is still sent along must not get in the way."""

    authentication_classes = []
    permission_classes = [AllowAny]


class RegisterView(CredentialView):
    """New accounts."""

    throttle_classes = [RegistrationThrottle]

    @extend_schema(
        request=RegistrationSerializer, responses={201: SignedInSerializer}, operation_id="register", auth=[]
    )
    def post(self, request: Request) -> Response:
        """Make an account and sign it in. 400 `email_taken` for an address that has one."""
        given = RegistrationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user, pair = registering.register(**given.validated_data, origin=origin_of(request))
        return Response(_signed_in(user, pair), status=status.HTTP_201_CREATED)


class LoginView(CredentialView):
    """Signing in."""

    throttle_classes = [LoginThrottle]

    @extend_schema(request=LoginSerializer, responses=SignedInSerializer, operation_id="login", auth=[])
    def post(self, request: Request) -> Response:
        """Open a session. 401 `invalid_credentials`, whatever of the two was wrong."""
        given = LoginSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user, pair = signing_in.sign_in(**given.validated_data, origin=origin_of(request))
        return Response(_signed_in(user, pair))


class RefreshView(CredentialView):
    """Staying signed in."""

    @extend_schema(request=RefreshSerializer, responses=TokenPairSerializer, operation_id="refresh", auth=[])
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for the next pair. 401 `token_reused` ends the session: sign in again."""
        given = RefreshSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(asdict(signing_in.refresh(token=given.validated_data["refresh"])))


class LogoutView(APIView):
    """Signing out."""

    @extend_schema(request=None, responses={204: None}, operation_id="logout")
    def post(self, request: Request) -> Response:
        """End this session; its tokens stop working at once."""
        signing_in.sign_out(session=session_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _signed_in(user: User, pair: TokenPair) -> dict[str, Any]:
    return {"user": UserSerializer(user).data, **asdict(pair)}
