"""What goes wrong, as application/problem+json: a French sentence that says what to do, and a code for a machine.

One rule: what does not exist, what belongs to somebody else and what a wrong token asks for are the same 404.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

from bot.api.shapes import Turn

Code = Literal[
    "bad_json",
    "no_token",
    "not_found",
    "wrong_method",
    "stale",
    "not_asked",
    "nothing_to_confirm",
    "too_big",
    "not_json",
    "invalid",
    "key_missing",
    "unknown_node",
    "unknown_choice",
    "na_refused",
    "unknown_tutorial",
    "too_many",
    "fault",
    "unavailable",
]

SAID: Mapping[Code, tuple[int, str, str]] = {
    "bad_json": (400, "JSON illisible", "Le corps n'est pas du JSON en UTF-8 : corrigez-le et renvoyez-le."),
    "no_token": (
        401,
        "Jeton absent",
        "Mettez le jeton reçu à la création dans l'en-tête « Authorization: Bearer … », et nulle part ailleurs.",
    ),
    "not_found": (
        404,
        "Rien ici",
        "Rien n'est ici pour ce jeton : vérifiez adresse, identifiant et jeton. La conversation a pu être effacée.",
    ),
    "wrong_method": (405, "Méthode refusée", "Cette adresse n'accepte pas cette méthode : voyez l'en-tête « Allow »."),
    "stale": (
        409,
        "Bouton périmé",
        "La conversation a avancé depuis cette révision et rien n'a changé : reprenez depuis « turn ».",
    ),
    "not_asked": (
        409,
        "Question pas posée",
        "Cette question n'est pas celle qui est posée et rien n'a changé : reprenez depuis « turn ».",
    ),
    "nothing_to_confirm": (
        409,
        "Rien à confirmer",
        "Rien n'attend de confirmation : envoyez d'abord la commande « erase » ou « restart ».",
    ),
    "too_big": (413, "Corps trop long", "16 384 octets au plus : raccourcissez le texte."),
    "not_json": (415, "JSON attendu", "Envoyez le corps en JSON, avec « Content-Type: application/json »."),
    "invalid": (422, "Champs à corriger", "Corrigez les champs nommés et renvoyez."),
    "key_missing": (
        422,
        "Clé d'idempotence absente",
        "Donnez à l'événement son en-tête « Idempotency-Key » : 1 à 100 signes parmi A-Z, a-z, 0-9, _ et -.",
    ),
    "unknown_node": (422, "Question inconnue", "« {name} » n'est pas une question connue : vérifiez l'identifiant."),
    "unknown_choice": (422, "Choix inconnu", "« {name} » n'a pas ce choix : prenez-en un de « choices »."),
    "na_refused": (422, "« na » refusé", "« {name} » n'accepte pas « na » : prenez un choix de « choices »."),
    "unknown_tutorial": (422, "Tutoriel inconnu", "« {name} » n'est pas un tutoriel : prenez-le dans un bouton."),
    "too_many": (
        429,
        "Trop de conversations",
        "Trop de conversations commencées depuis cette adresse : réessayez après le délai de « Retry-After ».",
    ),
    "fault": (
        500,
        "Erreur de notre côté",
        "Une erreur est survenue : renvoyez la même demande, avec la même clé. Si cela dure, écrivez-nous.",
    ),
    "unavailable": (
        503,
        "Pas enregistré",
        "La base ne répond pas, rien n'a été enregistré : renvoyez la même demande, avec la même clé d'idempotence.",
    ),
}


class ProblemData(BaseModel):
    """An error. `detail` says in French what to do; `code` is for a program; `turn` is the present turn, on a 409."""

    type: str
    title: str
    status: int
    detail: str
    code: Code
    turn: Turn | None = Field(default=None, json_schema_extra={"default": None})


class Problem(Exception):
    """A request that can't be taken. `detail` takes the place of the code's own sentence."""

    def __init__(
        self,
        code: Code,
        *,
        name: str = "",
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        turn: bytes | None = None,
    ) -> None:
        super().__init__(code)
        status, title, sentence = SAID[code]
        self.code, self.status, self.title = code, status, title
        self.detail = detail or sentence.replace("{name}", name)
        self.headers = dict(headers or {})
        self.turn = turn

    def response(self) -> Response:
        """As problem+json."""
        body = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        if self.turn is not None:
            content = content[:-1] + b', "turn": ' + self.turn + b"}"
        return Response(content, self.status, {"Cache-Control": "no-store", **self.headers}, "application/problem+json")


def problem_of(error: ValidationError) -> Problem:
    """What pydantic found in a body: unreadable JSON, or fields to correct, each named in French."""
    found = error.errors(include_url=False, include_input=False)
    if any(each["type"] == "json_invalid" for each in found):
        return Problem("bad_json")
    named = {".".join(str(part) for part in each["loc"]) or "le corps": each for each in found[:5]}
    return Problem(
        "invalid",
        detail=" ".join(_sentence(where, str(each["type"]), each.get("ctx", {})) for where, each in named.items()),
    )


def _sentence(where: str, kind: str, context: Mapping[str, object]) -> str:
    match kind:
        case "missing":
            return f"Il manque « {where} »."
        case "extra_forbidden":
            return f"« {where} » n'est pas un champ connu : retirez-le."
        case "union_tag_not_found" | "union_tag_invalid":
            return "« type » doit être choice, text ou command."
        case "literal_error":
            return f"« {where} » accepte seulement {str(context.get('expected', '')).replace(' or ', ' ou ')}."
        case "string_too_long":
            return f"« {where} » est trop long : {context.get('max_length')} caractères au plus."
        case "string_too_short":
            return f"« {where} » est vide."
        case "string_pattern_mismatch":
            return f"« {where} » a des signes refusés : de 1 à 64 parmi A-Z, a-z, 0-9, _ et -."
        case "int_type" | "int_from_float" | "greater_than_equal" | "less_than_equal" | "int_parsing_size":
            return f"« {where} » doit être un nombre entier, tel que le tour l'a donné."
        case "bool_type":
            return f"« {where} » doit être true ou false."
        case "string_type" | "string_unicode":
            return f"« {where} » doit être du texte."
        case "dict_type" | "model_type" | "model_attributes_type" | "dataclass_type":
            return f"« {where} » doit être un objet JSON."
    return f"« {where} » n'a pas la forme attendue : voyez /api/v1/openapi.json."
