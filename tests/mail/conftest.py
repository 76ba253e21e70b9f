"""A real SMTP server in the test's own loop, with TLS by a certificate made here; it refuses or drops when told to."""

from __future__ import annotations

import asyncio
import email
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from bot.house import House
from bot.settings import Mail

SENDER = "autodiag@programme.example"
USER, PASSWORD = "canari-compte", "canari-mot-de-passe"


@dataclass
class Server:
    """What the server got, and how it answers. `drops`: the step at which it hangs up; `says`: its reply to a step."""

    port: int = 0
    kept: list[EmailMessage] = field(default_factory=list)
    accounts: list[tuple[str, str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    drops: str = ""
    says: dict[str, str] = field(default_factory=dict)
    slow: float = 0.0

    def _step(self, server: SMTP, name: str) -> str | None:
        if self.drops == name:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return self.says.get(name)

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        envelope.mail_from = address
        self.encrypted.append(session.ssl is not None)
        return self._step(server, "mail") or "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        reply = self._step(server, "rcpt") or "250 OK"
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.slow)
        reply = self.says.get("data", "250 OK")
        if reply.startswith("250"):
            assert isinstance(envelope.content, bytes)
            message = email.message_from_bytes(envelope.content, policy=default)
            assert isinstance(message, EmailMessage)
            assert envelope.rcpt_tos == [message["To"]]
            self.kept.append(message)
        self._step(server, "data")
        return reply

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        self.accounts.append(given)
        return AuthResult(success=given == (USER, PASSWORD), handled=False)


@dataclass(frozen=True)
class Certificate:
    """A certificate that vouches for itself, for `localhost`."""

    file: Path
    key: Path

    @property
    def context(self) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.file, self.key)
        return made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Certificate(folder / "cert.pem", folder / "key.pem")
    found.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return found


@asynccontextmanager
async def listening(certificate: Certificate | None, *, tls: bool = False, **how: Any) -> AsyncIterator[Server]:
    """The server, on a port of this machine. With a certificate it wants STARTTLS; with `tls`, TLS from the start."""
    box = Server()
    context = certificate.context if certificate else None

    def one() -> SMTP:
        return SMTP(
            box,
            hostname="localhost",
            tls_context=None if tls else context,
            require_starttls=bool(context) and not tls,
            authenticator=box.authenticate,
            auth_require_tls=not tls,
            **how,
        )

    loop = asyncio.get_running_loop()
    made = await loop.create_server(one, "127.0.0.1", 0, ssl=context if tls else None)
    box.port = made.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        made.close()


def mail_by(server: Server, certificate: Certificate | None, **how: Any) -> Mail:
    """The settings that send by this server."""
    security = "starttls" if certificate else "aucun"
    found = Mail(serveur="localhost", port=server.port, chiffrement=security, adresse=SENDER, nom="L'Autodiag")
    given = {"authority": certificate.file if certificate else None} | how
    return found.model_copy(update=given)


def account() -> dict[str, SecretStr]:
    return {"user": SecretStr(USER), "password": SecretStr(PASSWORD)}


def with_mail(house: House, mail: Mail, **server: object) -> House:
    """The same house, its mail on."""
    changed = {"mail": mail, "server": house.settings.server.model_copy(update=server)}
    return replace(house, settings=house.settings.model_copy(update=changed))
