"""`autodiag check`: the content is in order, and a copy with one defect gets exactly that fault, at its line."""

from __future__ import annotations

import functools
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import tutorials.load
from bot import check as checks
from bot import links
from bot.content import load_content
from bot.settings import ROOT
from referential import yamlfile
from referential.yamlfile import Fault, Faults

PUBLISHED = load_content()
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for pattern in ("referential/**/*.yml", "tutorials/*.md")
    for path in ROOT.glob(pattern)
}
Spoil = Callable[..., list[Fault]]


@pytest.fixture(scope="module", autouse=True)
def files_parsed_once() -> Iterator[None]:
    """A copy differs from the content by one file: the others are parsed once for all of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (yamlfile, tutorials.load):
            patch.setattr(module, "parse_yaml", functools.cache(yamlfile.parse_yaml))
        yield


@pytest.fixture
def spoil(tmp_path: Path) -> Spoil:
    """Copies the content, changes one text of one file (the first place after `after`), and checks the copy."""

    def spoil(file: str, old: str, new: str, after: str = "") -> list[Fault]:
        for name, text in TEXTS.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        text = TEXTS[file]
        start = text.index(after)
        at = text.index(old, start)
        changed = text[:at] + new + text[at + len(old) :]
        (tmp_path / file).write_text(changed, encoding="utf-8")
        return found(tmp_path)

    return spoil


def found(folder: Path) -> list[Fault]:
    try:
        content = load_content(folder / "referential", folder / "tutorials")
    except Faults as faults:
        return list(faults.faults)
    return checks.check(content)


def line_of(file: str, text: str, after: str = "") -> int:
    whole = TEXTS[file]
    return whole[: whole.index(text, whole.index(after))].count("\n") + 1


PILOTAGE, INVENTAIRE = "referential/themes/01-pilotage.yml", "referential/themes/02-inventaire.yml"
SAUVEGARDES, INCIDENT = "referential/themes/08-sauvegardes.yml", "referential/themes/15-incident.yml"
OPTIQUE, CHAUSSURE = "referential/branches/optique.yml", "referential/branches/chaussure.yml"
PROFILE, SCALE, GLOSSARY = "referential/profile.yml", "referential/scale.yml", "referential/glossary.yml"
RAPPEL = "tutorials/contre-appel.md"
LONG = "Une phrase qui ne finit pas, " * 9 + "enfin."

DEFECTS = {
    # name: (file, old, new, after, file of the fault, text that starts its line (or a number), words of the sentence)
    "two questions with one id": (
        OPTIQUE, "id: opt-portails", "id: opt-sante", "", OPTIQUE, "- id: opt-portails", "sert 2 fois"),
    "two files with one id": (
        INVENTAIRE, "\nid: inventaire", "\nid: pilotage", "", INVENTAIRE, "id: inventaire", "nomme deux fichiers"),
    "two choices with one id": (
        PILOTAGE, "id: depanneur", "id: personne", "", PILOTAGE, "- id: depanneur", "en double, ou réservé"),
    "a choice called nsp": (
        PILOTAGE, "id: depanneur", "id: nsp", "", PILOTAGE, "- id: depanneur", "en double, ou réservé"),
    "na without its words": (
        PILOTAGE, "    na_libelle: Il n'y a que moi\n", "", "", PILOTAGE, "na_permis: true", "na_libelle"),
    "an id too long": (
        PILOTAGE, "id: depanneur", "id: depanneur-bien-trop-longue", "", PILOTAGE, "- id: depanneur", "24 caractères"),
    "an id with a capital": (
        PILOTAGE, "id: depanneur", "id: Depanneur", "", PILOTAGE, "- id: depanneur", "forme refusée"),
    "a theme with two essential questions": (
        INVENTAIRE, "- id: inv-materiel\n", "- id: inv-materiel\n    essentielle: true\n", "", INVENTAIRE, "questions:",
        "il y en a 2"),
    "a theme without an essential question": (
        INVENTAIRE, "    essentielle: true\n", "", "questions:", INVENTAIRE, "questions:", "il y en a 0"),
    "an essential branch question": (
        OPTIQUE, "- id: opt-sante\n", "- id: opt-sante\n    essentielle: true\n", "", OPTIQUE, 14,
        "n'est pas essentielle"),
    "a branch of an unknown trade": (
        OPTIQUE, "\nid: optique", "\nid: opticien", "", OPTIQUE, "id: optique", "n'est pas un métier"),
    "thresholds upside down": (
        SCALE, "moyen_a_partir_de: 40", "moyen_a_partir_de: 80", "", SCALE, "satisfaisant_a_partir_de", "montent"),
    "more actions shown than kept": (
        SCALE, "actions_montrees: 3", "actions_montrees: 7", "", SCALE, "actions_montrees", "va de 1"),
    "efforts out of order": (
        SCALE, "jusqu_a: 15", "jusqu_a: 9", "", SCALE, "efforts:", "montent"),
    "no effort beyond all": (
        SCALE, "jusqu_a: null", "jusqu_a: 60", "", SCALE, "efforts:", "null"),
    "one word for two definitions": (
        GLOSSARY, "terme: API", "terme: antivirus", "", GLOSSARY, "- terme: API", "mène déjà à « Antivirus »"),
    "a rule that names nothing": (
        PILOTAGE, "{fait: effectif,", "{fait: salaries,", "", PILOTAGE, "regle: {fait: effectif", "n'existe pas"),
    "a rule that looks ahead": (
        SAUVEGARDES, "reponse: sau-frequence", "reponse: inc-reflexe", "", SAUVEGARDES, "regle: {rep", "vient après"),
    "a fact called an answer": (
        PILOTAGE, "{fait: effectif,", "{reponse: effectif,", "", PILOTAGE, "regle: {fait: effectif", "écrivez fait"),
    "an answer called a fact": (
        SAUVEGARDES, "{reponse: sau-freq", "{fait: sau-freq", "", SAUVEGARDES, "regle: {reponse", "écrivez reponse"),
    "a rule on an unknown choice": (
        SAUVEGARDES, "pas: jamais", "pas: toujours", "", SAUVEGARDES, "regle: {rep", "n'a pas de choix « toujours »"),
    "a comparison without numbers": (
        PILOTAGE, "{fait: effectif, plus_de: 1}", "{fait: branche, plus_de: 1}", "", PILOTAGE,
        "regle: {fait: effectif", "demande une « valeur »"),
    "a rule on a question not always asked": (
        INCIDENT, "    na_permis: false\n", "    regle: {reponse: inv-materiel, pas: a-jour}\n    na_permis: false\n",
        "- id: inc-papier", INCIDENT, "na_permis: false", "n'est pas essentielle"),
    "a rule on another trade's question": (
        CHAUSSURE, "    na_permis: true\n", "    regle: {reponse: bri-machines, vaut: meme}\n    na_permis: true\n",
        "- id: cha-saisonniers", CHAUSSURE, "na_permis: true", "n'est pas essentielle"),
    "a rule on a fact never asked, without na": (
        INCIDENT, "    na_permis: false\n", "    regle: {fait: mobiles_pro, vaut: oui}\n    na_permis: false\n",
        "- id: inc-papier", INCIDENT, "na_permis: false", "n'est jamais demandé"),
    "a rule in no known shape": (
        PILOTAGE, "{fait: effectif, plus_de: 1}", "{fait: effectif, moins_de: 1}", "", PILOTAGE,
        "regle: {fait: effectif", "règle inconnue"),
    "a rule with a number as a choice": (
        PILOTAGE, "{fait: effectif, plus_de: 1}", "{fait: effectif, pas: 1}", "", PILOTAGE,
        "regle: {fait: effectif", "entre guillemets"),
    "an unknown tutorial": (
        PILOTAGE, "tutos: [regles-une-page]", "tutos: [regles-une-page, reglement]", "", PILOTAGE,
        "tutos: [regles-une-page]", "créez tutorials/reglement.md"),
    "a tutorial cited twice": (
        PILOTAGE, "tutos: [regles-une-page]", "tutos: [regles-une-page, regles-une-page]", "", PILOTAGE,
        "tutos: [regles-une-page]", "cité deux fois"),
    "a tutorial that nothing leads to": (
        INCIDENT, "tutos: [assurance-plainte]", "tutos: [fiche-urgence]", "", "tutorials/assurance-plainte.md",
        "id: assurance-plainte", "aucune question ne mène"),
    "two tutorials of one rank": (
        RAPPEL, "ordre: 2", "ordre: 1", "", RAPPEL, "ordre:", "sert deux fois"),
    "a tutorial under another name": (
        RAPPEL, "id: contre-appel", "id: rappel", "", RAPPEL, "id: contre-appel", "celui du fichier"),
    "a choice without a note": (
        PILOTAGE, "        note: 0.5\n", "", "", PILOTAGE, "choix:", "doit avoir une « note »"),
    "notes that go down": (
        PILOTAGE, "note: 0.5", "note: 0.9", "", PILOTAGE, "choix:", "doivent monter"),
    "a last choice that is not the best": (
        PILOTAGE, "note: 1\n", "note: 0.9\n", "", PILOTAGE, "choix:", "le dernier 1"),
    "a first choice worth something": (
        PILOTAGE, "note: 0\n", "note: 0.1\n", "", PILOTAGE, "choix:", "le premier choix doit valoir 0"),
    "a note out of bounds": (
        PILOTAGE, "note: 0.5", "note: 1.5", "", PILOTAGE, "note: 0.5", "hors limites"),
    "a note in the profile": (
        PROFILE, "libelle: Bricolage\n", "libelle: Bricolage\n        note: 1\n", "", PROFILE, "choix:",
        "n'est pas noté"),
    "a question too long": (
        PILOTAGE, "au quotidien ?", "au quotidien" + ", et aussi le reste" * 6 + " ?", "", PILOTAGE, "texte:",
        "130 au plus"),
    "a label too long": (
        PILOTAGE, "Un dépanneur, appelé au besoin", "Un dépanneur, appelé au besoin, et au besoin seulement", "",
        PILOTAGE, "libelle: Un dépanneur", "48 au plus"),
    "a na label too long": (
        PILOTAGE, "Il n'y a que moi", "Il n'y a que moi et je ne compte sur personne d'autre", "", PILOTAGE,
        "na_libelle: Il", "48 au plus"),
    "a remark too long": (
        PILOTAGE, "bien: \"Bien : ", "bien: \"Bien, très bien, et même vraiment très très bien : ", "", PILOTAGE,
        "bien:", "90 au plus"),
    "a help with an endless sentence": (
        INCIDENT, "Fermez les yeux :", LONG, "", INCIDENT, "aide: >-", "coupez-la"),
    "a step with an endless sentence": (
        RAPPEL, "Affichez la règle", f"{LONG[:-1]} et affichez la règle", "", RAPPEL, "6. Affichez", "coupez-la"),
    "jargon in a question": (
        PILOTAGE, "s'occupe de l'informatique au", "fait le backup au", "", PILOTAGE, "texte:", "« backup » ne se"),
    "jargon in a remark": (
        PILOTAGE, "La base est là", "Le périmètre est là", "", PILOTAGE, "moyen:", "« périmètre » ne se dit pas"),
    "jargon in a step": (
        RAPPEL, "Notez dans le dossier", "Notez dans le log", "", RAPPEL, "2. Notez", "« log » ne se dit pas"),
    "a question that says tu": (
        INCIDENT, "savez-vous quoi faire", "sais-tu quoi faire", "", INCIDENT, "texte:", "« tu » tutoie"),
    "initials that nobody explains": (
        INCIDENT, "savez-vous quoi faire", "avez-vous un PCA", "", INCIDENT, "texte:", "« PCA » n'est pas au lexique"),
    "an address without https": (
        RAPPEL, "https://collectivites", "http://collectivites", "", RAPPEL, "adresse: https://collectivites",
        "n'est pas une adresse"),
    "an address without a domain": (
        RAPPEL, "https://collectivites-locales.gouv.fr/", "https://collectivites/", "", RAPPEL,
        "adresse: https://collectivites", "n'est pas une adresse"),
    "an address that is broken": (
        RAPPEL, "https://collectivites-locales.gouv.fr/", "'https://[::1/' #", "", RAPPEL,
        "adresse: https://collectivites", "n'est pas une adresse"),
    "a question that no path reaches": (
        PILOTAGE, "{fait: effectif, plus_de: 1}", "{fait: effectif, plus_de: 300}", "", PILOTAGE,
        "regle: {fait: effectif", "aucun parcours"),
    "a file that is not YAML": (
        OPTIQUE, "titre: Optique", "titre: [Optique", "", OPTIQUE, None, "YAML mal formé"),
    "a missing key": (
        PILOTAGE, "    destinataire: soi\n", "", "- id: pil-qui", PILOTAGE, "- id: pil-qui", "il manque"),
    "an unknown key": (
        PILOTAGE, "    gain:", "    gains:", "", PILOTAGE, "    gain:", "n'est pas une clé connue"),
    "a key given twice": (
        PILOTAGE, "    effort: 15\n", "    effort: 15\n    effort: 20\n", "", PILOTAGE, "    risque: 2", "deux fois"),
    "an unknown recipient": (
        PILOTAGE, "destinataire: soi", "destinataire: voisin", "", PILOTAGE, "destinataire: soi", " ou "),
    "tutorials of a question given as text": (
        PILOTAGE, "tutos: [regles-une-page]", "tutos: regles-une-page", "", PILOTAGE, "tutos: [regles-une-page]",
        "doit être une liste"),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFECTS)
def test_one_defect_gives_that_fault_and_no_other(spoil: Spoil, name: str) -> None:
    file, old, new, after, where, start, words = DEFECTS[name]
    (fault,) = spoil(file, old, new, after)
    assert words in fault.sentence
    assert fault.file == where
    if isinstance(start, str):
        assert fault.line == line_of(where, start, after if where == file else "")
    elif start:
        assert fault.line == start


def test_the_content_is_in_order() -> None:
    assert [str(fault) for fault in checks.check(PUBLISHED)] == []


def test_several_defects_in_several_files_are_all_said_at_once(tmp_path: Path) -> None:
    for folder in ("referential", "tutorials"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "referential/scale.yml").write_text("version: 1", encoding="utf-8")
    (tmp_path / "referential/themes/01-pilotage.yml").write_bytes(b"titre: \xe9")
    (tmp_path / "tutorials/contre-appel.md").write_text("rien", encoding="utf-8")
    files = {fault.file for fault in found(tmp_path)}
    assert files == {"referential/scale.yml", "referential/themes/01-pilotage.yml", "tutorials/contre-appel.md"}


def test_no_theme_at_all_is_a_fault(tmp_path: Path) -> None:
    for folder in ("referential", "tutorials"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("themes"))
    assert "aucun thème" in found(tmp_path)[0].sentence


def test_a_button_that_would_not_fit_a_chat_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    longest = max(
        (len(f"{question.id}{choice.id}") + checks.CALLBACK_OVERHEAD, question.id)
        for question in PUBLISHED.flow.questionnaire.questions()
        for choice in question.choices
    )
    assert longest[0] <= checks.CALLBACK_BYTES
    monkeypatch.setattr(checks, "CALLBACK_BYTES", longest[0] - 1)
    faults = checks.check(PUBLISHED)
    assert faults
    assert all("octets" in fault.sentence for fault in faults)
    assert longest[1] in " ".join(fault.sentence for fault in faults)


def test_a_walk_that_never_ends_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = {question.id for question in PUBLISHED.flow.questionnaire.questions()}
    monkeypatch.setattr(checks, "_walk", lambda flow, trade, pick: (trade != "optique", everything))
    faults = checks.check(PUBLISHED)
    assert {fault.sentence for fault in faults} == {
        "le parcours « optique » ne se termine pas : une règle tourne en rond."
    }


def test_a_question_for_one_middle_choice_only_is_reached(spoil: Spoil) -> None:
    assert spoil(PILOTAGE, "{fait: effectif, plus_de: 1}", "{fait: effectif, vaut: 11-49}") == []


class Site(BaseHTTPRequestHandler):
    agents: list[str] = []  # noqa: RUF012 — what was asked of this site, for the test to read

    def do_GET(self) -> None:
        self.agents.append(self.headers["User-Agent"])
        if self.path == "/slow":
            hung.wait(5)
        if self.path == "/cut":
            self.wfile.write(b"nonsense\r\n\r\n")
            return
        self.send_response({"/moved": 301, "/gone": 404, "/broken": 500}.get(self.path, 200))
        if self.path == "/moved":
            self.send_header("Location", "/here")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


hung = threading.Event()


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    Site.agents.clear()
    hung.clear()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    hung.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "status", "fine", "landed"),
    [
        ("/", 200, True, "/"),
        ("/moved", 200, True, "/here"),
        ("/gone", 404, False, "/gone"),
        ("/broken", 500, False, "/broken"),
    ],
)
def test_a_page_is_visited_and_followed(site: str, path: str, status: int, fine: bool, landed: str) -> None:
    visit = links.visit(site + path)
    assert (visit.status, visit.fine, visit.landed) == (status, fine, site + landed)
    assert all("Autodiag" in agent for agent in Site.agents)


def test_a_page_that_answers_nonsense_is_not_fine(site: str) -> None:
    visit = links.visit(site + "/cut")
    assert (visit.status, visit.fine) == (0, False)
    assert visit.said


def test_a_closed_port_is_said(site: str) -> None:
    import socket

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        visit = links.visit(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert (visit.status, visit.fine) == (0, False)
    assert "refused" in visit.said.lower()


def test_a_site_that_never_answers_is_left(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "PATIENCE", 0.2)
    visit = links.visit(site + "/slow")
    assert (visit.status, visit.fine) == (0, False)
    assert "timed out" in visit.said


def test_visits_are_apart_from_each_other(site: str) -> None:
    waits: list[float] = []
    visits = list(links.visit_all((f"{site}/", f"{site}/gone", f"{site}/"), waits.append))
    assert [visit.status for visit in visits] == [200, 404, 200]
    assert waits == [links.PAUSE, links.PAUSE]


def test_every_address_of_the_tutorials_is_visited_once() -> None:
    addresses = checks.addresses(PUBLISHED)
    assert len(addresses) == len(set(addresses))
    assert {res.address for tutorial in PUBLISHED.tutorials for res in tutorial.resources} == set(addresses)
    assert all(re.match(r"https://", address) for address in addresses)
