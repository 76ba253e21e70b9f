"""What a deployer decides: config.yml read into frozen values, then the environment, which wins.

The one rule: an unknown key, a wrong type or a wrong variable stops the start with a sentence; nothing is guessed.
Keys are French in the file, because their editors are; attributes are English. `load_settings` is the only way in.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.fields import (
    Api,
    BotToken,
    DatabaseUrl,
    Email,
    FilePath,
    HeaderText,
    HookSecret,
    Host,
    Line,
    LogLevel,
    Network,
    Origin,
    Paragraph,
    Phone,
    Port,
    Section,
    Sender,
    Site,
    WebPage,
    Whole,
)
from referential.yamlfile import Faults, explain, read_yaml

ROOT: Final = Path(__file__).resolve().parent.parent
PREFIX: Final = "AUTODIAG_"


class SettingsError(Exception):
    """What keeps the programme from starting, one French sentence a fault; `str()` gives them a line each."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = tuple(sentences)


_LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class Programme(Section):
    """Who speaks, what it costs and who pays: said before the first question."""

    name: Line = Field(alias="nom")
    run_by: Line = Field(alias="porteur")
    phone: Phone = Field(alias="telephone")
    site: WebPage
    price: Line = Field(alias="prix")
    paid_by: Line = Field(alias="qui_paie")
    minutes: Annotated[Whole, Field(ge=1, le=60)] = Field(default=5, alias="duree_minutes")
    full_minutes: Annotated[Whole, Field(ge=1, le=120)] = Field(default=15, alias="duree_complete_minutes")


class Contact(Section):
    """The human who answers when the bot cannot."""

    name: Line = Field(alias="nom")
    phone: Phone = Field(alias="telephone")
    email: Email
    hours: Line = Field(alias="horaires")


class Elsewhere(Section):
    """What else exists for a firm that the visit programme does not cover."""

    name: Line = Field(alias="nom")
    url: WebPage = Field(alias="adresse")
    text: Paragraph = Field(alias="texte")


class Texts(Section):
    """Sentences that a deployer changes without touching the templates."""

    greeting: Paragraph = Field(alias="accueil")
    elsewhere: tuple[Elsewhere, ...] = Field(default=(), alias="hors_programme")


class Legal(Section):
    """What the legal notice and the page "vos données" must name."""

    publisher: Line = Field(alias="editeur")
    address: Line = Field(alias="adresse")
    director: Line = Field(alias="directeur_publication")
    host: Line = Field(alias="hebergeur")
    data_controller: Line = Field(alias="responsable_traitement")
    data_contact: Line = Field(alias="contact_donnees")
    basis: Line = Field(alias="base_legale")


class Federation(Section):
    """A branch's federation: what greets the manager who comes by its link, and how many firms the branch aims at."""

    branch: Line = Field(alias="branche")
    name: Line = Field(alias="nom")
    target: Annotated[Whole, Field(ge=0, le=1_000_000)] = Field(default=0, alias="objectif")


class Accessibility(Section):
    """What the accessibility statement says, and whom to write to."""

    contact: Email
    status: Literal["non conforme", "partiellement conforme", "totalement conforme"] = Field(
        default="non conforme", alias="etat"
    )


class Retention(Section):
    """How long a conversation stays after its last activity; the purge reads it."""

    unfinished_days: Annotated[Whole, Field(ge=1, le=1095)] = Field(default=90, alias="inachevees_jours")
    finished_days: Annotated[Whole, Field(ge=1, le=1095)] = Field(default=365, alias="achevees_jours")
    trial_hours: Annotated[Whole, Field(ge=1, le=24)] = Field(default=24, alias="essais_heures")
    backup_days: Annotated[Whole, Field(ge=1, le=365)] = Field(default=30, alias="sauvegardes_jours")


class Server(Section):
    """Where the chat listens and how it is reached."""

    public_url: Origin = Field(default="", alias="adresse_publique", validate_default=False)
    host: Line = Field(default="127.0.0.1", alias="ecoute")
    port: Annotated[Port, Field(strict=True)] = 8000
    framed_by: tuple[Site, ...] = Field(default=(), alias="sites_autorises")
    trusted_proxies: tuple[Network, ...] = Field(default=(), alias="proxys_de_confiance")
    conversations_per_hour: Annotated[Whole, Field(ge=1)] = Field(default=120, alias="conversations_par_heure")
    cookie_days: Annotated[Whole, Field(ge=1, le=365)] = Field(default=90, alias="cookie_jours")
    log_level: LogLevel = Field(default="info", alias="journal")
    metrics_open_to: tuple[Network, ...] = Field(default=_LOOPBACK, alias="metriques_ouvertes_a")

    @property
    def https(self) -> bool:
        """Whether cookies may be marked Secure."""
        return self.public_url.startswith("https://")


class Storage(Section):
    """Where things are kept; absolute paths once `load_settings` has answered."""

    database_url: DatabaseUrl = Field(default="", alias="base", validate_default=False, repr=False)
    data_dir: FilePath = Field(default=Path("data"), alias="dossier")
    key_file: FilePath = Field(default=Path(), alias="cle")
    erasure_journal: FilePath = Field(default=Path("effacements.journal"), alias="journal_effacements")
    model_dir: FilePath = Field(default=Path(), alias="modele")

    @property
    def key_beside_data(self) -> bool:
        """Whether a copy of the data folder takes the master key or the erasure journal with it."""
        return any(kept.is_relative_to(self.data_dir) for kept in (self.key_file, self.erasure_journal))


class Telegram(Section):
    """The Telegram door; closed without a token. The two secrets come from the environment only."""

    token: SecretStr = Field(default=SecretStr(""), repr=False)
    secret: SecretStr = Field(default=SecretStr(""), repr=False)
    mode: Literal["poll", "webhook"] = "poll"
    api: Api = Field(default="https://api.telegram.org", alias="adresse_api", validate_default=False)

    @model_validator(mode="before")
    @classmethod
    def _no_secret_in_a_file(cls, raw: Any) -> Any:
        if isinstance(raw, Mapping) and (named := {"token", "secret"} & set(raw)):
            name = min(named)
            raise ValueError(
                f"« {name} » est un secret, retirez-le d'ici : il vient de la variable AUTODIAG_TELEGRAM_{name.upper()}"
            )
        return raw

    @property
    def on(self) -> bool:
        """Whether there is a bot to speak through."""
        return bool(self.token.get_secret_value())


class Mail(Section):
    """E-mail, off as it comes. The account and its password come from the environment only."""

    server: Host = Field(default="", alias="serveur")
    port: Annotated[Port, Field(strict=True)] = 587
    security: Literal["starttls", "tls", "aucun"] = Field(default="starttls", alias="chiffrement")
    authority: FilePath | None = Field(default=None, alias="autorite")
    sender: Sender | None = Field(default=None, alias="adresse")
    name: HeaderText = Field(default="", alias="nom", validate_default=False)
    folder: FilePath | None = Field(default=None, alias="developpement_dossier")
    user: SecretStr = Field(default=SecretStr(""), repr=False)
    password: SecretStr = Field(default=SecretStr(""), repr=False)

    @model_validator(mode="before")
    @classmethod
    def _no_secret_in_a_file(cls, raw: Any) -> Any:
        if isinstance(raw, Mapping) and (named := {"user", "password", "compte", "mot_de_passe"} & set(raw)):
            raise ValueError(
                f"« {min(named)} » n'a pas sa place ici, retirez-le : le compte et le mot de passe viennent des "
                "variables AUTODIAG_SMTP_USER et AUTODIAG_SMTP_PASSWORD"
            )
        return raw

    @property
    def on(self) -> bool:
        """Whether there is a way to send, or the folder that stands for it on a developer's machine."""
        return bool(self.server or self.folder)

    @property
    def told(self) -> str:
        """What the operator reads at start."""
        if self.folder:
            return f"E-mail : pour développer, rien ne part ; chaque message s'écrit dans {self.folder}."
        if self.server:
            return f"E-mail : par {self.server}, de {self.sender}."
        return "E-mail : fermé, aucun serveur d'envoi (courriel, dans config.yml)."


class Visits(Section):
    """The expert's visits: how long, how far ahead, how often a manager may change one, places by branch."""

    on_site_minutes: Annotated[Whole, Field(ge=30, le=480)] = Field(default=150, alias="sur_place_minutes")
    remote_minutes: Annotated[Whole, Field(ge=15, le=240)] = Field(default=60, alias="a_distance_minutes")
    travel_minutes: Annotated[Whole, Field(ge=0, le=240)] = Field(default=45, alias="trajet_minutes")
    notice_hours: Annotated[Whole, Field(ge=1, le=720)] = Field(default=48, alias="preavis_heures")
    horizon_days: Annotated[Whole, Field(ge=2, le=180)] = Field(default=45, alias="horizon_jours")
    moves: Annotated[Whole, Field(ge=0, le=20)] = Field(default=2, alias="deplacements")
    change_hours: Annotated[Whole, Field(ge=0, le=240)] = Field(default=24, alias="changement_heures")
    places: Mapping[Line, Annotated[Whole, Field(ge=0)]] = Field(default={}, alias="places")


class Settings(Section):
    """The whole of config.yml."""

    demonstration: Annotated[bool, Field(strict=True)] = False
    programme: Programme
    contact: Contact
    texts: Texts = Field(alias="textes")
    legal: Legal = Field(alias="mentions_legales")
    accessibility: Accessibility = Field(alias="accessibilite")
    retention: Retention = Field(default=Retention(), alias="conservation")
    server: Server = Field(default=Server(), alias="serveur")
    storage: Storage = Field(default=Storage(), alias="stockage")
    telegram: Telegram = Field(default=Telegram(), alias="telegram")
    mail: Mail = Field(default=Mail(), alias="courriel")
    visits: Visits = Field(default=Visits(), alias="visites")
    federations: tuple[Federation, ...] = ()

    @field_validator("federations")
    @classmethod
    def _one_a_branch(cls, found: tuple[Federation, ...]) -> tuple[Federation, ...]:
        branches = [federation.branch for federation in found]
        if twice := next((branch for branch in branches if branches.count(branch) > 1), ""):
            raise ValueError(f"la branche « {twice} » a deux fédérations : gardez-en une")
        return found

    def federation(self, branch: str | None) -> Federation | None:
        """The federation of a branch, if it has one."""
        return next((federation for federation in self.federations if federation.branch == branch), None)


class Environment(BaseSettings):
    """The AUTODIAG_… variables; one that is empty counts as absent."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    config: FilePath | None = None
    port: Port | None = None
    host: Line | None = None
    public_url: Origin | None = None
    log_level: LogLevel | None = None
    database_url: DatabaseUrl | None = Field(default=None, repr=False)
    data_dir: FilePath | None = None
    model_dir: FilePath | None = None
    key_file: FilePath | None = None
    telegram_token: BotToken | None = Field(default=None, repr=False)
    telegram_secret: HookSecret | None = Field(default=None, repr=False)
    telegram_mode: Literal["poll", "webhook"] | None = None
    telegram_api: Api | None = None
    smtp_user: SecretStr | None = Field(default=None, repr=False)
    smtp_password: SecretStr | None = Field(default=None, repr=False)


_SERVER: Final = ("port", "host", "public_url", "log_level")
_TELEGRAM: Final = ("token", "secret", "mode", "api")
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_STORAGE: Final = ("database_url", "data_dir", "key_file")


def load_settings(config: Path | None = None) -> Settings:
    """Read config.yml (`config`, else AUTODIAG_CONFIG, else the project's own) and the environment.

    Paths come back absolute: those of the file start from its folder, those of the environment from where one stands.
    Raises SettingsError. Creates nothing.
    """
    environment = _environment()
    file = (config or environment.config or ROOT / "config.yml").absolute()
    try:
        settings = read_yaml(file, Settings, name=_short(file))
    except Faults as found:
        raise SettingsError([str(fault) for fault in found.faults]) from found

    given = {name: value for name in _SERVER if (value := getattr(environment, name)) is not None}
    server = settings.server.model_copy(update=given)
    if not server.public_url:
        server = server.model_copy(update={"public_url": f"http://localhost:{server.port}"})
    return settings.model_copy(
        update={
            "server": server,
            "storage": _storage(settings.storage, environment, file.parent),
            "telegram": _telegram(settings.telegram, environment),
            "mail": _mail(settings.mail, environment, file.parent, server),
        }
    )


def _telegram(written: Telegram, environment: Environment) -> Telegram:
    """The environment's first. Raises SettingsError for a webhook that anybody could call."""
    given = {name: value for name in _TELEGRAM if (value := getattr(environment, f"telegram_{name}")) is not None}
    found = written.model_copy(update=given)
    if found.on and found.mode == "webhook" and not found.secret.get_secret_value():
        raise SettingsError(
            ["Le mode webhook de Telegram demande un secret contre les faux messages : AUTODIAG_TELEGRAM_SECRET."]
        )
    return found


def _mail(written: Mail, environment: Environment, folder: Path, server: Server) -> Mail:
    """The account added, paths made absolute. Raises SettingsError for what would send in clear, or nothing at all."""
    given: dict[str, object] = {}
    for name in ("user", "password"):
        if (value := getattr(environment, f"smtp_{name}")) is not None:
            given[name] = value
    for name in ("folder", "authority"):
        if (path := getattr(written, name)) is not None:
            given[name] = _tidy(folder / path)
    found = written.model_copy(update=given)
    secret, account = found.password.get_secret_value(), found.user.get_secret_value()
    said = []
    if found.server and found.sender is None:
        said.append("courriel : il manque « adresse », celle d'où partent les e-mails.")
    if found.server and found.folder:
        said.append("courriel : « serveur » envoie, « developpement_dossier » n'envoie pas. Gardez l'un des deux.")
    if found.folder and server.https:
        said.append(
            "courriel : « developpement_dossier » est pour développer. Sur un site en https, rien ne partirait : "
            "retirez-le."
        )
    if found.server and bool(secret) != bool(account):
        said.append("Donnez AUTODIAG_SMTP_USER et AUTODIAG_SMTP_PASSWORD ensemble, ou aucun des deux.")
    if found.server and found.security == "aucun" and (secret or found.server not in _HERE):
        said.append(
            "courriel : sans chiffrement, le mot de passe et les adresses passeraient en clair. Écrivez "
            "« chiffrement: starttls » ou « tls » ; « aucun » n'est permis que pour un serveur de cette machine, sans "
            "mot de passe."
        )
    if found.authority and not found.authority.is_file():
        said.append(f"courriel : le fichier « autorite » {found.authority} est introuvable.")
    if said:
        raise SettingsError(said)
    return found


def _storage(written: Storage, environment: Environment, folder: Path) -> Storage:
    """Every place made absolute, the environment's first."""
    data_dir = environment.data_dir.absolute() if environment.data_dir else folder / written.data_dir
    if environment.key_file:
        key_file = environment.key_file.absolute()
    else:
        key_file = folder / written.key_file if written.key_file != Path() else _default_key_file()
    if environment.database_url:
        database_url = _absolute(environment.database_url, Path.cwd())
    elif written.database_url:
        database_url = _absolute(written.database_url, folder)
    else:
        database_url = f"sqlite:///{_tidy(data_dir) / 'autodiag.db'}"
    return written.model_copy(
        update={
            "database_url": database_url,
            "data_dir": _tidy(data_dir),
            "key_file": _tidy(key_file),
            "erasure_journal": _tidy(key_file.parent / written.erasure_journal),
            "model_dir": _model_dir(written, environment, folder, data_dir),
        }
    )


def _model_dir(written: Storage, environment: Environment, folder: Path, data_dir: Path) -> Path:
    """Where the trained model is kept: it can be made again at any time, and holds nothing of anybody."""
    if environment.model_dir:
        return _tidy(environment.model_dir.absolute())
    return _tidy(folder / written.model_dir if written.model_dir != Path() else data_dir / "modele")


def _environment() -> Environment:
    known = {f"{PREFIX}{name.upper()}" for name in Environment.model_fields}
    sentences = [
        f"La variable {name} n'existe pas : vouliez-vous dire {meant[0]} ?"
        for name in sorted(set(os.environ) - known)
        if name.startswith(PREFIX) and (meant := difflib.get_close_matches(name, known, n=1, cutoff=0.9))
    ]
    try:
        environment = Environment()
    except ValidationError as error:
        for found in error.errors():
            variable = f"{PREFIX}{str(found['loc'][0]).removeprefix(PREFIX.lower()).upper()}"
            said = explain({**found, "loc": (variable,)})
            sentences.append(f"Variable d'environnement {said}")
        raise SettingsError(sentences) from None
    if sentences:
        raise SettingsError(sentences)
    return environment


def _default_key_file() -> Path:
    """Outside the project and its data, so that no copy of either takes the key along."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if Path(state).is_absolute():
        return Path(state) / "autodiag" / "key"
    try:
        return Path.home() / ".local" / "state" / "autodiag" / "key"
    except RuntimeError:
        raise SettingsError(
            ["Ce compte n'a pas de dossier personnel : dites où ranger la clé avec AUTODIAG_KEY_FILE."]
        ) from None


def _absolute(database_url: str, folder: Path) -> str:
    if not database_url.startswith("sqlite:///"):
        return database_url
    name, mark, query = database_url.removeprefix("sqlite:///").partition("?")
    return f"sqlite:///{_tidy(folder / name)}{mark}{query}"


def _tidy(path: Path) -> Path:
    return Path(os.path.normpath(path.absolute()))


def _short(file: Path) -> str:
    """The name to show: as seen from where one stands when it is below, whole otherwise."""
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)
