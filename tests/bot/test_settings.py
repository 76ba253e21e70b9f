"""config.yml and the environment: the example is good, and each mistake is refused where it stands."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.settings import ROOT, Settings, SettingsError, load_settings

EXAMPLE = (ROOT / "config.yml").read_text(encoding="utf-8")
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AUTODIAG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """config.yml with one line replaced, or one added after it."""

    def write(old: str = "", new: str = "") -> Path:
        assert EXAMPLE.count(old) == 1 or not old
        path = tmp_path / "config.yml"
        path.write_text(EXAMPLE.replace(old, new) if old else EXAMPLE, encoding="utf-8")
        return path

    return write


def refused(config: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(config)
    return str(caught.value)


def line_of(text: str, path: Path) -> int:
    return next(n for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text in line)


def test_the_example_starts_at_once_and_says_that_it_is_one() -> None:
    settings = load_settings()
    assert settings.demonstration
    assert settings.server.public_url == "http://localhost:8000"
    assert settings.storage.database_url == f"sqlite:///{ROOT / 'data' / 'autodiag.db'}"


def test_reading_settings_creates_nothing(write: Write, tmp_path: Path) -> None:
    load_settings(write())
    assert [path.name for path in tmp_path.iterdir()] == ["config.yml"]


def test_the_key_and_the_erasure_journal_are_outside_the_data_folder(write: Write, tmp_path: Path) -> None:
    storage = load_settings(write()).storage
    assert storage.key_file == tmp_path / "state" / "autodiag" / "key"
    assert storage.erasure_journal == tmp_path / "state" / "autodiag" / "effacements.journal"
    assert not storage.key_beside_data


def test_without_xdg_the_key_is_in_the_home(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert load_settings(write()).storage.key_file == tmp_path / "home" / ".local" / "state" / "autodiag" / "key"


def test_a_key_kept_with_the_data_is_seen(write: Write) -> None:
    assert load_settings(write('  # cle: "/etc/autodiag/key"', '  cle: "data/key"')).storage.key_beside_data


def test_paths_of_the_file_start_from_its_folder(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write('  # base: "postgresql://autodiag@localhost/autodiag"', '  base: "sqlite:///ailleurs/a.db"')
    monkeypatch.chdir("/")
    storage = load_settings(config).storage
    assert storage.data_dir == tmp_path / "data"
    assert storage.database_url == f"sqlite:///{tmp_path / 'ailleurs' / 'a.db'}"


def test_settings_cannot_be_changed_once_read(write: Write) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings(write()).server.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  port: 8000", "  porte: 8000", "« serveur.porte » n'est pas une clé connue"),
        ("demonstration: true", "demonstration: peut-être", "« demonstration » doit être true (oui) ou false (non)"),
        ("  port: 8000", '  port: "8000"', "« serveur.port » doit être un nombre entier"),
        ("  port: 8000", "  port: true", "« serveur.port » doit être un nombre entier"),
        ("  port: 8000", "  port: 65536", "« serveur.port » est hors limites"),
        ('  telephone: "01 99 00 12 34"', "  telephone: 199001234", "doit être un texte : mettez-le entre guillemets"),
        ('  telephone: "01 99 00 12 34"', '  telephone: "demander"', "écrivez un numéro de téléphone"),
        ('  email: "autodiag@federation.example"', '  email: "autodiag"', "écrivez une adresse e-mail"),
        ('  site: "https://www.federation.example/autodiag"', '  site: "www"', "écrivez une adresse de page complète"),
        ("  journal: info", "  journal: bavard", "« serveur.journal » accepte seulement"),
        ("  essais_heures: 24", "  essais_heures: 48", "« conservation.essais_heures » est hors limites"),
        ("  inachevees_jours: 90", "  inachevees_jours: 0", "« conservation.inachevees_jours » est hors limites"),
        ("  inachevees_jours: 90", "  inachevees_jours: 90.5", "doit être un nombre entier"),
        ("  proxys_de_confiance: []", '  proxys_de_confiance: ["*"]', "écrivez une adresse IP"),
        ("  sauvegardes_jours: 30", "  sauvegardes_jours: 0", "« conservation.sauvegardes_jours » est hors limites"),
        (
            "  sites_autorises: []",
            '  sites_autorises: "https://a.example"',
            "« serveur.sites_autorises » doit être une liste",
        ),
        *(
            ("  sites_autorises: []", f'  sites_autorises: ["https://a.example", "{site}"]', said)
            for site, said in (
                ("http://www.federation.example", "l'adresse doit commencer par https://"),
                ("www.federation.example", "écrivez une adresse complète"),
                ("https://*.federation.example", "sans « * »"),
                ("*", "écrivez une adresse complète"),
                ("https://a.example;sandbox", "écrivez une adresse complète"),
                ("https://a.example 'unsafe-inline'", "écrivez une adresse complète"),
                ("https://a.example,b.example", "écrivez une adresse complète"),
                ("https://a.example/page", "ni chemin"),
                ("https://moi@a.example", "écrivez une adresse complète"),
            )
        ),
        ('  etat: "non conforme"', '  etat: "conforme"', "« accessibilite.etat » accepte seulement"),
        ('  dossier: "data"', '  dossier: ""', "écrivez un chemin"),
        (
            '  # adresse_publique: "https://autodiag.federation.example"',
            '  adresse_publique: "https://federation.example/chat"',
            "l'adresse ne doit avoir ni chemin",
        ),
        (
            '  # base: "postgresql://autodiag@localhost/autodiag"',
            '  base: "mysql://autodiag@localhost/autodiag"',
            "écrivez sqlite:///fichier ou postgresql://",
        ),
    ],
)
def test_a_mistake_in_the_file_is_refused_with_its_line(write: Write, old: str, new: str, said: str) -> None:
    config = write(old, new)
    sentence = refused(config)
    assert said in sentence
    assert f"{config}, ligne {line_of(new, config)} : " in sentence


@pytest.mark.parametrize("key", ["prix", "qui_paie"])
def test_the_price_and_who_pays_are_required(write: Write, key: str) -> None:
    line = next(line for line in EXAMPLE.splitlines() if line.startswith(f"  {key}:"))
    config = write(line, "")
    assert f"{config}, ligne {line_of('programme:', config)} : il manque « programme.{key} »" in refused(config)


def test_a_section_written_as_a_sentence_is_refused(write: Write, tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text(EXAMPLE.split("accessibilite:\n")[0] + "accessibilite: oui\n", encoding="utf-8")
    assert "écrivez ses clés en dessous" in refused(config)


def test_optional_sections_left_empty_or_out_take_their_defaults(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text(EXAMPLE.split("# Combien de temps")[0] + "serveur:\n", encoding="utf-8")
    settings = load_settings(config)
    assert settings.retention.unfinished_days == 90
    assert settings.server.port == 8000
    assert settings.storage.data_dir == tmp_path / "data"


def test_english_keys_are_unknown_too(write: Write) -> None:
    assert "« programme.price » n'est pas une clé connue" in refused(write("  prix:", "  price:"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "absent.yml") in refused(tmp_path / "absent.yml")


def test_the_environment_wins(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CONFIG": str(write()),
        "PORT": "9000",
        "HOST": "0.0.0.0",
        "PUBLIC_URL": "https://Autodiag.example.fr/",
        "LOG_LEVEL": "DEBUG",
        "DATABASE_URL": "postgresql://u:secret@db/autodiag",
        "DATA_DIR": str(tmp_path / "d"),
        "KEY_FILE": str(tmp_path / "k" / "cle"),
    }.items():
        monkeypatch.setenv(f"AUTODIAG_{name}", value)
    settings = load_settings()
    assert (settings.server.port, settings.server.host) == (9000, "0.0.0.0")
    assert settings.server.public_url == "https://autodiag.example.fr"
    assert settings.server.https
    assert settings.server.log_level == "debug"
    assert settings.storage.database_url == "postgresql://u:secret@db/autodiag"
    assert settings.storage.data_dir == tmp_path / "d"
    assert settings.storage.key_file == tmp_path / "k" / "cle"
    assert settings.storage.erasure_journal == tmp_path / "k" / "effacements.journal"
    assert "secret" not in repr(settings)


def test_the_default_address_and_base_follow_the_environment(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTODIAG_PORT", "9000")
    monkeypatch.setenv("AUTODIAG_DATA_DIR", "ici")
    monkeypatch.chdir(tmp_path)
    settings = load_settings(write())
    assert settings.server.public_url == "http://localhost:9000"
    assert settings.storage.database_url == f"sqlite:///{tmp_path / 'ici' / 'autodiag.db'}"


def test_an_empty_variable_counts_as_absent(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "DATABASE_URL", "KEY_FILE"):
        monkeypatch.setenv(f"AUTODIAG_{name}", "")
    assert load_settings(write()) == load_settings(write())


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "huit mille", "doit être un nombre entier"),
        ("PORT", "0", "hors limites"),
        ("PORT", "70000", "hors limites"),
        ("LOG_LEVEL", "bavard", "accepte seulement"),
        ("PUBLIC_URL", "autodiag.example.fr", "écrivez une adresse complète"),
        ("PUBLIC_URL", "ftp://autodiag.example.fr", "écrivez une adresse complète"),
        ("PUBLIC_URL", "https://", "écrivez une adresse complète"),
        ("PUBLIC_URL", "https://a.example:99999", "écrivez une adresse complète"),
        ("PUBLIC_URL", "https://moi:secret@a.example", "écrivez une adresse complète"),
        ("PUBLIC_URL", "https://a.example/chat", "ni chemin"),
        ("PUBLIC_URL", "https://a.example?x=1", "ni chemin"),
        ("PUBLIC_URL", "https://a.example#x", "ni chemin"),
        ("DATABASE_URL", "sqlite://", "en mémoire, tout serait perdu"),
        ("DATABASE_URL", "sqlite:///:memory:", "en mémoire, tout serait perdu"),
        ("DATABASE_URL", "mysql://moi:secret@db/a", "écrivez sqlite:///fichier ou postgresql://"),
    ],
)
def test_a_wrong_variable_is_named_and_its_value_is_not_repeated(
    write: Write, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"AUTODIAG_{name}", value)
    sentence = refused(write())
    assert f"« AUTODIAG_{name} »" in sentence
    assert said in sentence
    assert "secret" not in sentence


def test_a_misspelt_variable_is_not_silently_ignored(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTODIAG_DATABSE_URL", "sqlite:////srv/a.db")
    assert "vouliez-vous dire AUTODIAG_DATABASE_URL ?" in refused(write())


def test_variables_that_an_orchestrator_adds_are_left_alone(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTODIAG_SERVICE_PORT", "80")
    monkeypatch.setenv("AUTODIAG_PORT_8000_TCP", "tcp://10.0.0.1:8000")
    assert isinstance(load_settings(write()), Settings)


def test_every_key_of_the_example_is_explained_in_place() -> None:
    """A comment stands above each key of the first two levels, or above the first of its block."""
    lines = EXAMPLE.splitlines()
    for place, line in enumerate(lines):
        if line and not line.startswith((" ", "#")):
            assert lines[place - 1].startswith("#"), line


def test_an_account_without_home_is_told_where_to_say_it(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")

    def no_home() -> Path:
        raise RuntimeError

    monkeypatch.setattr("bot.settings.Path.home", no_home)
    assert "AUTODIAG_KEY_FILE" in refused(write())


def test_sites_are_named_as_browsers_name_them(write: Write) -> None:
    written = '["https://WWW.Federation.example/", "https://a.example:443", "https://é.example:8443", "http://localhost:8080"]'
    assert not load_settings(write()).server.framed_by
    assert load_settings(write("  sites_autorises: []", f"  sites_autorises: {written}")).server.framed_by == (
        "https://www.federation.example",
        "https://a.example",
        "https://xn--9ca.example:8443",
        "http://localhost:8080",
    )
