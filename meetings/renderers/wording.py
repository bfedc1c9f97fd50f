"""The few words a document adds to what was said, in the languages we can vouch for; English for all others."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

RTL = frozenset({"ar", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})
"""ISO 639 codes of languages written from right to left."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Every fixed word and sentence of our documents in one language."""

    code: str
    months: str
    date: str
    instant: str
    minutes: str
    transcript: str
    participants: str
    summary: str
    topics: str
    decisions: str
    action_items: str
    open_questions: str
    action: str
    owner: str
    due: str
    status: str
    nothing: str
    silence: str
    page: str
    quote: str
    about: str
    extracted: str
    reviewed: str
    written_down: str
    coverage: str
    truncated: str
    dropped: str
    generated: str
    roles: dict[str, str]
    states: dict[str, str]

    def month(self, number: int) -> str:
        """Return a month's name, 1 for January."""
        return self.months.split()[number - 1]

    def role(self, name: str) -> str:
        """Return a participant's role in words; a plain participant's goes without saying."""
        return "" if name == "participant" else self.roles.get(name, name.replace("_", " "))

    def state(self, name: str) -> str:
        """Return the status of minutes or of an action item in words."""
        return self.states.get(name, name.replace("_", " ").capitalize())


def language_tag(language: str) -> str:
    """Return the language as a BCP 47 tag (`pt-BR`), or nothing when it is not one."""
    tag = language.replace("_", "-")
    return tag if re.fullmatch("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag) else ""


def is_rtl(language: str) -> bool:
    """Tell whether a language is written from right to left."""
    return language.lower().replace("_", "-").split("-")[0] in RTL


def wording_for(language: str) -> Wording:
    """Return our words for a language code such as `de` or `pt-BR`; English where we have none."""
    wording = LANGUAGES.get(language.lower().replace("_", "-").partition("-")[0], LANGUAGES["en"])
    return _left_to_right(wording) if is_rtl(language) else wording


def _left_to_right(wording: Wording) -> Wording:
    """Return the wording with every sentence kept from left to right inside a right-to-left document."""
    return replace(
        wording,
        date=_isolate(wording.date),
        instant=_isolate(wording.instant),
        nothing=_isolate(wording.nothing),
        silence=_isolate(wording.silence),
        page="{page}/{pages}",
        extracted=_isolate(wording.extracted),
        reviewed=_isolate(wording.reviewed),
        written_down=_isolate(wording.written_down),
        coverage=_isolate(wording.coverage),
        truncated=_isolate(wording.truncated),
        dropped=_isolate(wording.dropped),
        generated=_isolate(wording.generated),
    )


def _isolate(sentence: str) -> str:
    return f"\u2066{sentence}\u2069"


ENGLISH = Wording(
    code="en",
    months="January February March April May June July August September October November December",
    date="{day} {month} {year}",
    instant="{}",
    minutes="Minutes",
    transcript="Transcript",
    participants="Participants",
    summary="Summary",
    topics="Topics",
    decisions="Decisions",
    action_items="Action items",
    open_questions="Open questions",
    action="Action",
    owner="Owner",
    due="Due",
    status="Status",
    nothing="Nothing was recorded for these minutes.",
    silence="No speech was found in this recording.",
    page="Page {page} of {pages}",
    quote="\u201c{}\u201d",
    about="About this document",
    extracted="Extracted automatically (engine: {engine}). Please review before relying on it.",
    reviewed="Extracted automatically (engine: {engine}), then reviewed by people.",
    written_down="Written down automatically (engine: {engine}). Words may have been misheard.",
    coverage="Rests on {used} of {total} lines of the transcript.",
    truncated="The transcript was too long to be read to its end.",
    dropped="Entries left out because nothing said supports them: {count}.",
    generated="Generated {moment}.",
    roles={"host": "host", "co_host": "co-host", "observer": "observer"},
    states={
        "draft": "Draft", "in_review": "In review", "approved": "Approved", "published": "Published",
        "rejected": "Rejected", "open": "Open", "in_progress": "In progress", "done": "Done",
        "cancelled": "Cancelled",
    },
)  # fmt: skip

GERMAN = Wording(
    code="de",
    months="Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    date="{day}. {month} {year}",
    instant="{}",
    minutes="Protokoll",
    transcript="Wortprotokoll",
    participants="Teilnehmende",
    summary="Zusammenfassung",
    topics="Themen",
    decisions="Beschlüsse",
    action_items="Aufgaben",
    open_questions="Offene Fragen",
    action="Aufgabe",
    owner="Zuständig",
    due="Fällig",
    status="Status",
    nothing="Für dieses Protokoll wurde nichts festgehalten.",
    silence="In dieser Aufnahme wurde keine Sprache gefunden.",
    page="Seite {page} von {pages}",
    quote="\u201e{}\u201c",
    about="Über dieses Dokument",
    extracted="Automatisch erstellt (Verfahren: {engine}). Bitte vor Gebrauch prüfen.",
    reviewed="Automatisch erstellt (Verfahren: {engine}), danach von Menschen geprüft.",
    written_down="Automatisch mitgeschrieben (Verfahren: {engine}). Einzelne Wörter können falsch verstanden sein.",
    coverage="Beruht auf {used} von {total} Zeilen des Wortprotokolls.",
    truncated="Das Wortprotokoll war zu lang, um bis zum Ende gelesen zu werden.",
    dropped="Weggelassene Einträge, die nichts Gesagtes belegt: {count}.",
    generated="Erzeugt {moment}.",
    roles={"host": "Leitung", "co_host": "Mitleitung", "observer": "Gast"},
    states={
        "draft": "Entwurf", "in_review": "In Prüfung", "approved": "Genehmigt", "published": "Veröffentlicht",
        "rejected": "Abgelehnt", "open": "Offen", "in_progress": "In Arbeit", "done": "Erledigt",
        "cancelled": "Entfallen",
    },
)  # fmt: skip

FRENCH = Wording(
    code="fr",
    months="janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    date="{day} {month} {year}",
    instant="{}",
    minutes="Compte rendu",
    transcript="Transcription",
    participants="Participants",
    summary="Résumé",
    topics="Sujets",
    decisions="Décisions",
    action_items="Actions",
    open_questions="Questions ouvertes",
    action="Action",
    owner="Responsable",
    due="Échéance",
    status="État",
    nothing="Rien n\u2019a été consigné pour ce compte rendu.",
    silence="Aucune parole n\u2019a été trouvée dans cet enregistrement.",
    page="Page {page} sur {pages}",
    quote="\u00ab\u00a0{}\u00a0\u00bb",
    about="À propos de ce document",
    extracted="Extrait automatiquement (moteur\u00a0: {engine}). À relire avant usage.",
    reviewed="Extrait automatiquement (moteur\u00a0: {engine}), puis relu.",
    written_down="Transcrit automatiquement (moteur\u00a0: {engine}). Des mots ont pu être mal compris.",
    coverage="Repose sur {used} des {total} lignes de la transcription.",
    truncated="La transcription était trop longue pour être lue jusqu\u2019à la fin.",
    dropped="Entrées écartées car rien de ce qui a été dit ne les étaye\u00a0: {count}.",
    generated="Généré le {moment}.",
    roles={"host": "animation", "co_host": "co-animation", "observer": "observation"},
    states={
        "draft": "Brouillon", "in_review": "En relecture", "approved": "Approuvé", "published": "Publié",
        "rejected": "Rejeté", "open": "Ouvert", "in_progress": "En cours", "done": "Fait",
        "cancelled": "Annulé",
    },
)  # fmt: skip

SPANISH = Wording(
    code="es",
    months="enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    date="{day} de {month} de {year}",
    instant="{}",
    minutes="Acta",
    transcript="Transcripción",
    participants="Participantes",
    summary="Resumen",
    topics="Temas",
    decisions="Decisiones",
    action_items="Tareas",
    open_questions="Preguntas abiertas",
    action="Tarea",
    owner="Responsable",
    due="Plazo",
    status="Estado",
    nothing="No se registró nada para esta acta.",
    silence="No se encontró voz en esta grabación.",
    page="Página {page} de {pages}",
    quote="\u00ab{}\u00bb",
    about="Sobre este documento",
    extracted="Extraído automáticamente (motor: {engine}). Revíselo antes de usarlo.",
    reviewed="Extraído automáticamente (motor: {engine}) y revisado después.",
    written_down="Transcrito automáticamente (motor: {engine}). Puede haber palabras mal entendidas.",
    coverage="Se basa en {used} de las {total} líneas de la transcripción.",
    truncated="La transcripción era demasiado larga para leerla hasta el final.",
    dropped="Entradas omitidas porque nada de lo dicho las respalda: {count}.",
    generated="Generado el {moment}.",
    roles={"host": "anfitrión", "co_host": "coanfitrión", "observer": "observador"},
    states={
        "draft": "Borrador", "in_review": "En revisión", "approved": "Aprobada", "published": "Publicada",
        "rejected": "Rechazada", "open": "Abierta", "in_progress": "En curso", "done": "Hecha",
        "cancelled": "Cancelada",
    },
)  # fmt: skip

LANGUAGES = {wording.code: wording for wording in (ENGLISH, GERMAN, FRENCH, SPANISH)}
