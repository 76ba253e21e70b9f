"""The two ceremonies of WebAuthn, as values: what to ask a device, and what its answer proves. No rows here.

One rule: the origin, the user's verification and the challenge are required each time. No time that a device tells is
ever read. The library is imported at the first ceremony: a quarter of a second that a start need not pay.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from access.accounts import Account
from access.challenges import OPEN_FOR
from access.refused import Refused
from access.site import Site

T = TypeVar("T")
Kind = Literal["phone", "usb", "device"]

_TIMEOUT = int(OPEN_FOR.total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device sent back, before anything is proved of it."""

    credential: Mapping[str, Any] = field(repr=False)
    id: bytes
    challenge: bytes
    user: str


@dataclass(frozen=True, slots=True)
class Made:
    """A passkey just made. `kind`: where it lives, as the browser says."""

    id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int
    kind: Kind


def creation(site: Site, challenge: bytes, *, account: Account, known: Sequence[bytes]) -> dict[str, Any]:
    """What to ask a device that makes a passkey. `known`: the person's others, one a device."""
    from webauthn import generate_registration_options
    from webauthn.helpers import options_to_json_dict, structs

    required = structs.AuthenticatorSelectionCriteria(
        resident_key=structs.ResidentKeyRequirement.REQUIRED,
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=site.name,
        user_id=account.id.encode(),
        user_name=account.person.name,
        user_display_name=account.person.name,
        challenge=challenge,
        timeout=_TIMEOUT,
        authenticator_selection=required,
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return options_to_json_dict(options)


def request(site: Site, challenge: bytes) -> dict[str, Any]:
    """What to ask a device that shows a passkey: any that it keeps for this site."""
    from webauthn import generate_authentication_options
    from webauthn.helpers import options_to_json_dict, structs

    options = generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        timeout=_TIMEOUT,
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def read(site: Site, credential: Mapping[str, Any]) -> Answer:
    """Read an answer without believing it. Raises Refused when it can't be one, or was made for another site."""
    try:
        response = credential["response"]
        told = json.loads(_bytes(response["clientDataJSON"]))
        origin, foreign = told["origin"], told.get("crossOrigin", False)
        user = _bytes(response.get("userHandle") or "").decode()
        answer = Answer(credential, _bytes(credential["id"]), _bytes(told["challenge"]), user)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused("unreadable") from None
    if origin != site.origin or foreign is not False:
        raise Refused("wrong_origin")
    return answer


def made(site: Site, answer: Answer) -> Made:
    """The passkey that this answer proves was made, for a challenge already checked. Raises Refused."""
    from webauthn import verify_registration_response

    credential = dict(answer.credential)
    verified = _believed(
        lambda: verify_registration_response(
            credential=credential,
            expected_challenge=answer.challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    )
    return Made(verified.credential_id, verified.credential_public_key, verified.sign_count, _kind(credential))


def shown(site: Site, answer: Answer, public_key: bytes) -> int:
    """The sign count of the passkey that this answer proves was shown. Raises Refused."""
    from webauthn import verify_authentication_response

    verified = _believed(
        lambda: verify_authentication_response(
            credential=dict(answer.credential),
            expected_challenge=answer.challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,  # compared with the stored one where it can be written down
            require_user_verification=True,
        )
    )
    return verified.new_sign_count


def _believed(verify: Callable[[], T]) -> T:
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return verify()
    except WebAuthnException as error:
        raise Refused("unverified" if str(error).startswith("User verification") else "unreadable") from None
    except Exception:  # noqa: BLE001 — others' parsers, on bytes from a stranger: whatever breaks is a refusal
        raise Refused("unreadable") from None


def _kind(credential: Mapping[str, Any]) -> Kind:
    """Where the passkey lives, for its name in the person's list; nothing depends on it."""
    listed = credential["response"].get("transports")
    ways = {each for each in listed if isinstance(each, str)} if isinstance(listed, list) else set()
    if credential.get("authenticatorAttachment") == "cross-platform":
        return "phone" if "hybrid" in ways else "usb"
    return "device"


def _bytes(given: object) -> bytes:
    """Base64 of the web, as browsers write it. Raises ValueError."""
    if not isinstance(given, str):
        raise ValueError("not a text")
    try:
        return base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
