"""One mail sent at once, for the operator who sets the sending up: what came of it, and what to do about it."""

from __future__ import annotations

import secrets

from bot.house import House
from bot.mail.compose import compose
from bot.mail.letters import Letter
from bot.mail.post import deliver
from bot.worker import Later, Never
from store.addresses import read_address

_MEND = {
    "wrong_password": "Le serveur refuse le compte ou le mot de passe : vérifiez AUTODIAG_SMTP_USER et "
    "AUTODIAG_SMTP_PASSWORD.",
    "sender_refused": "Le serveur refuse l'adresse d'envoi : vérifiez « adresse », dans courriel.",
    "recipient_later": "Le serveur demande de réessayer plus tard pour cette adresse : c'est courant la première fois. "
    "Attendez quelques minutes.",
    "recipient_refused": "Le serveur refuse l'adresse du destinataire : vérifiez-la.",
    "message_refused": "Le serveur refuse le message : voyez SPF, DKIM et DMARC dans docs/mail.md.",
    "certificate": "Le certificat du serveur n'est signé par aucune autorité connue : vérifiez « serveur », ou donnez "
    "« autorite ».",
}


async def try_out(house: House, typed: str) -> tuple[bool, str]:
    """Write to this address; whether it left, and a sentence. Raises BadAddress."""
    to, mail = read_address(typed), house.settings.mail
    if not mail.on:
        return False, mail.told
    try:
        await deliver(house.settings, compose(house, Letter(secrets.token_hex(16), "test", "test"), to), attempts=1)
    except (Later, Never) as told:
        reason = told.reason if isinstance(told, Later) else str(told)
        lost = "On ne sait pas s'il est parti : la réponse du serveur n'est pas arrivée. Regardez la boîte."
        down = (
            f"Le serveur ne répond pas ({reason}) : vérifiez « serveur », « port » et « chiffrement », dans courriel."
        )
        return False, lost if isinstance(told, Later) and told.maybe else _MEND.get(reason, down)
    return True, mail.told if mail.folder else f"C'est parti. {mail.told}"
