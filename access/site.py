"""The site that passkeys are made for: its origin, as browsers name it, and its host, to which they are tied for good.

Browsers make passkeys over https only, or on this very machine as localhost; never for an IP address.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


class NoPasskeysHere(Exception):
    """No passkey can be made at this address; the message is a French sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Site:
    """See the module. `name`: what the device shows when it asks for a passkey."""

    origin: str
    host: str
    name: str


def site_of(public_url: str, name: str) -> Site:
    """The site at this address. Raises NoPasskeysHere."""
    parts = urlsplit(public_url)
    given = parts.hostname or ""
    if _is_ip(given):
        raise NoPasskeysHere(
            f"L'adresse publique {public_url} est une adresse IP : les navigateurs y refusent les clés d'accès. "
            "Donnez un nom de site dans config.yml (serveur: adresse_publique), ou http://localhost:8000 pour essayer "
            "sur cette machine."
        )
    host = _ascii(given)
    here = host == "localhost" or host.endswith(".localhost")
    if parts.scheme != "https" and not here:
        raise NoPasskeysHere(
            f"L'adresse publique {public_url} n'est pas en https : les navigateurs y refusent les clés d'accès. "
            "Mettez le site en https, puis corrigez config.yml (serveur: adresse_publique)."
        )
    usual = {"https": 443, "http": 80}[parts.scheme]
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return Site(f"{parts.scheme}://{host}{port}", host, name)


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host
