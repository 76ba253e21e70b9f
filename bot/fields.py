"""The kinds of values that config.yml and the environment hold: each read, or refused with what to write instead.

One rule: nothing is repaired. A sentence here ends one that names the key, and never repeats a value, which may be
secret.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from store.addresses import BadAddress, read_address


def _origin(raw: str) -> str:
    """An address without path, as in a browser's bar: https://autodiag.example.fr."""
    whole = ValueError("écrivez une adresse complète, comme https://autodiag.exemple.fr")
    try:
        parts = urlsplit(raw)
        reachable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise whole from None
    if not reachable or re.search(r"[\s\\@]", raw):
        raise whole
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("rien après le nom du site : l'adresse ne doit avoir ni chemin, ni « ? », ni « # »")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _site(raw: str) -> str:
    """A site that may show the chat in its pages, exactly as a browser names it; http only on this very machine."""
    try:
        parts = urlsplit(_origin(raw))
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except UnicodeError:
        host, port, parts = "", None, urlsplit("")
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", host):
        raise ValueError("écrivez une adresse complète, sans « * », comme https://www.federation.fr")
    if parts.scheme != "https" and host not in {"localhost", "127.0.0.1"}:
        raise ValueError("l'adresse doit commencer par https:// : en http, n'importe qui changerait la page en chemin")
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, usual) else "")


def _web_page(raw: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@?#]+([/?#]\S*)?", raw):
        raise ValueError("écrivez une adresse de page complète, qui commence par https://")
    return raw


def _phone(raw: str) -> str:
    if not re.fullmatch(r"\+?\(?\d([ .()-]{0,2}\d){1,14}", raw):
        raise ValueError("écrivez un numéro de téléphone, comme 01 23 45 67 89")
    return raw


def _email(raw: str) -> str:
    if not re.fullmatch(r"[^\s@<>,;:]+@[^\s@<>,;:]+\.[^\s@<>,;:.]+", raw):
        raise ValueError("écrivez une adresse e-mail, comme contact@exemple.fr")
    return raw


def _sender(raw: str) -> str:
    try:
        return read_address(raw)
    except BadAddress as bad:
        raise ValueError(str(bad)) from None


def _header(raw: str) -> str:
    if any(unicodedata.category(sign) == "Cc" for sign in raw):
        raise ValueError("écrivez-le sur une seule ligne")
    return raw


def _database(raw: str) -> str:
    if re.fullmatch(r"postgresql(\+psycopg)?://\S+", raw) or re.fullmatch(r"sqlite:///(?!:memory:|[?#]).+", raw):
        return raw
    if raw.startswith("sqlite:"):
        raise ValueError(
            "il faut un fichier, comme sqlite:////srv/autodiag/autodiag.db : en mémoire, tout serait perdu"
        )
    raise ValueError("écrivez sqlite:///fichier ou postgresql://utilisateur:motdepasse@machine/base")


def _bot_token(raw: SecretStr) -> SecretStr:
    if not re.fullmatch(r"\d{3,20}:[A-Za-z0-9_-]{20,100}", raw.get_secret_value()):
        raise ValueError("copiez le jeton entier que BotFather a donné : des chiffres, deux-points, puis des lettres")
    return raw


def _hook_secret(raw: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", raw.get_secret_value()):
        raise ValueError("il faut de 16 à 256 signes parmi A-Z, a-z, 0-9, _ et - : par exemple openssl rand -hex 32")
    return raw


def _network(raw: object) -> IPv4Network | IPv6Network:
    try:
        return ip_network(str(raw))
    except ValueError:
        raise ValueError("écrivez une adresse IP (10.0.0.2) ou un réseau (10.0.0.0/24), jamais « * »") from None


def _path(raw: object) -> Path:
    if not isinstance(raw, str) or not raw.strip() or "\0" in raw:
        raise ValueError("écrivez un chemin de fichier ou de dossier, entre guillemets")
    try:
        return Path(raw.strip()).expanduser()
    except RuntimeError:
        raise ValueError("« ~ » n'a pas de sens ici, ce compte n'a pas de dossier personnel") from None


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Paragraph = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]
Phone = Annotated[Line, AfterValidator(_phone)]
Email = Annotated[Line, AfterValidator(_email)]
Sender = Annotated[Line, AfterValidator(_sender)]
HeaderText = Annotated[Line, AfterValidator(_header)]
Host = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=253, pattern=r"^[A-Za-z0-9.:-]*$")
]
WebPage = Annotated[Line, AfterValidator(_web_page)]
Origin = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_origin)]
Site = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_site)]
DatabaseUrl = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_database)]
Api = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_origin)]
BotToken = Annotated[SecretStr, AfterValidator(_bot_token)]
HookSecret = Annotated[SecretStr, AfterValidator(_hook_secret)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
FilePath = Annotated[Path, BeforeValidator(_path)]
Port = Annotated[int, Field(ge=1, le=65535)]
Whole = Annotated[int, Field(strict=True)]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    BeforeValidator(lambda raw: raw.lower() if isinstance(raw, str) else raw),
]


class Section(BaseModel):
    """A part of config.yml: frozen, known keys only; left empty, it takes its defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _keys(cls, raw: Any) -> Any:
        if raw is None:
            return {}
        if not isinstance(raw, Mapping | cls):
            raise ValueError("écrivez ses clés en dessous, une par ligne, décalées de deux espaces")
        return raw
