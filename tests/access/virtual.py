"""A virtual authenticator in Chromium: a device's own lock that says yes, through the browser's debugging protocol."""

from __future__ import annotations

from playwright.sync_api import CDPSession, Page


class Lock:
    """The authenticator of one page. `there`: whether the device has a lock at all."""

    def __init__(self, page: Page, *, there: bool = True) -> None:
        self._wire: CDPSession = page.context.new_cdp_session(page)
        self._wire.send("WebAuthn.enable")
        self.id = ""
        if there:
            self.id = self.new("internal")

    def new(self, transport: str) -> str:
        """One more device within reach: `internal`, or `usb`."""
        options = {
            "protocol": "ctap2",
            "transport": transport,
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = self._wire.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return str(made["authenticatorId"])

    def refuse(self) -> None:
        """From now on the owner is not recognised."""
        self._wire.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": False})

    def remove(self) -> None:
        """The device is gone."""
        self._wire.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.id})

    def count(self) -> int:
        """How many passkeys it keeps."""
        found = self._wire.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return len(found["credentials"])
