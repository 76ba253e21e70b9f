"""The pieces of which commands are made: an act, and the thing it is done to. The model weighs them, alone and in pairs.

A command said in words never met ("défaites ce que je viens d'envoyer") still has its act and its thing. Pure.
"""

# ruff: noqa: E501 — a pattern reads better in one piece

from __future__ import annotations

import re

from dialogue.understanding.plain import Said

_ACTS = {
    "show": r"voir|revoir|relire|relis|montr\w*|affich\w*|list\w*|recap\w*|consult\w*|retrouv\w*|redonn\w*|rappel\w*|donn\w*|remontr\w*|reaffich\w*|ressor\w*|lire|recevoir|obtenir|resum\w*|remett\w*|remet\w*|renvoy\w*|repos\w*|redemand\w*",
    "erase": r"supprim\w*|suprim\w*|effac\w*|detrui\w*|vir(?:e|ez|er)|delete|nettoy\w*|nettoi\w*|vid(?:e|ez|er)|retir\w*|purg\w*|jet(?:e|ez|er)|desinscri\w*|disparaitre|oubli(?:e|ez|er) (?:moi|mes|tout)|enlev\w*|anonymis\w*|bruler|eliminer|effacement|suppression",
    "restart": r"recommenc\w*|refai\w*|refaire|refais|repart\w*|redemarr\w*|relanc\w*|reinitialis\w*|reset|restart|remise|repasser|rejouer",
    "change": r"corrig\w*|correction|rectif\w*|modif\w*|chang\w*|remplac\w*|mett\w* plutot|mets plutot|not\w* plutot|inscri\w* plutot|update|revenir sur|reviens sur|confondu|trompe\w*|erreur|rectification|mal exprime\w*|dit faux|contredit|plutot que|au lieu de|a jour",
    "back": r"retour|arriere|recul\w*|remont\w*|reven\w*|revien\w*|retourn\w*|annul\w*|defai\w*|precedent\w*|d avant|juste avant|un cran|reprendre celle|undo",
    "stop": r"pause|stop|arret\w*|interromp\w*|suspend\w*|attend\w*|patient\w*|laisse|quitt\w*|coup(?:e|er|ons)|met\w* en attente|met\w* de cote|garde\w* tout|absent\w*|debord\w*",
    "later": r"plus tard|demain|ce soir|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|autre fois|autre jour|apres|tout a l heure|bientot|week end|prochaine fois",
    "go_on": r"repren\w*|reprend\w*|continu\w*|enchain\w*|poursui\w*|termin\w*|fini\w*|allons y|c est parti|on y va|on y retourne|la suite|suite|suivante?|repart\w*|on s y remet|au point d arret|ou on en etait",
    "here": r"de retour|me revoila|revenue?|dispo\w*|prete?|(?:je )?suis la|rebonjour|client\w* (?:est )?parti\w*|boutique est fermee|quart d heure|vingt minutes|c est bon",
    "busy": r"client\w*|livr\w*|rush|monde|reunion|telephone sonne|coup de feu|servir|ferme\w*|manger|repas|pas le temps|plus le temps|enfants|clope|cafe",
    "repeat": r"repet\w*|redi\w*|reformul\w*|encore une fois|de nouveau|a nouveau|pas (?:lu|entendu|capte|saisi|suivi)|mal lu|illisible|disparu\w*|perdu le fil|interrompu\w*|vous (?:disiez|demandiez)|deja",
    "help": r"aid\w*|help|coup de (?:main|pouce)|guid\w*|perdue?|largue\w*|paume\w*|bloque|piste|indice|mode d emploi|explication\w*|expliqu\w*|comment (?:je |on |faire|savoir|verifier|repondre|trouver|ca)|ou (?:je |est ce que |trouver|cliquer|regarder|chercher)|exemple|comprends (?:pas|rien)|compris|pas clair\w*|quoi (?:repondre|ecrire|mettre|taper)",
    "why": r"pourquoi|a quoi|interet|rapport|utilite|but|raison|enjeu|importan\w*|concerne|sert|servir\w*|risque\w*|grave|interesse\w*|justifi\w*|en quoi|curieux|curieuse|cherchez a savoir",
    "mean": r"c est quoi|ce quoi|signifi\w*|veut dire|definition|kezako|kesako|quesaco|traduc\w*|traduis\w*|m echappe|jamais entendu|le (?:mot|terme)|appelez|entendez|ki c|designe|c est a dire|ce que c est|ce qu est",
    "more": r"approfond\w*|creus\w*|plus loin|davantage|en detail|detaill\w*|version (?:longue|complete|detaillee)|parcours long|complet\w*|au dela|plus (?:de|pousse)|encore des|autres? (?:theme|sujet|question)s?|court|toutes les questions|au fond",
    "meet": r"rendez vous|visite|creneau|rencontr\w*|passage|venue|venir|vienne|passer|passe (?:me|nous|chez|au)|deplace\w*|audit|sur place|chez nous|chez moi|en boutique|au magasin|intervention|reserv\w*|inscri\w*",
    "talk": r"parler|causer|discut\w*|appel\w*|joindre|telephon\w*|contact\w*|rappel\w*|en ligne|de vive voix|au bout du fil|numero|relation",
    "want": r"je (?:veux|voudrais|souhaite\w*|aimerais|desire|prefere\w*|demande)|j aimerais|jveux|nous (?:voulons|souhaitons|aimerions)|pouvez vous|peux tu|tu peux|puis je|peut on|on peut|s il vous plait|svp|merci de|veuillez|il faut que|faut",
}
_THINGS = {
    "answers": r"reponses?|rep|ce que j ai (?:dit|repondu|mis|saisi|coche|declare|ecrit|tape|entre|choisi)|mes choix|ce que je vous ai dit|ce que vous avez (?:note|enregistre|compris|retenu)|ai je repondu|j ai repondu",
    "conversation": r"conversation|conv|echange|historique|dossier|donnees|infos|informations|compte|base|trace\w*|passage|discussion|rgpd|vie privee|consentement|droit a|article 17|chez vous",
    "question": r"questions?|enonce|choix|options|phrase|proposition\w*",
    "whole": r"tout|toute|tous|toutes|ensemble|integralite|entierement|completement|definitivement",
    "test": r"test|questionnaire|autodiag\w*|diagnostic|evaluation|parcours|serie",
    "start": r"zero|0|debut|depart|commencement|premiere|feuille blanche|scratch|case depart",
    "result": r"note|score|bilan|resultats?|synthese|verdict|niveau|rapport|conclusion|priorite\w*|points faibles|compte rendu|recapitulatif|combien|ma securite|m en sors|docteur|ou j en suis|ou en suis je|bon ou",
    "expert": r"expert\w*|consultant\w*|specialiste|intervenant|professionnel|conseill\w*|diagnostiqueur|technicien",
    "human": r"humain\w*|quelqu un|qqn|personne|vrai\w*|robot|machine|responsable|boss|patron|interlocuteur|chair et en os|collegue|equipe",
    "earlier": r"d avant|precedent\w*|derniere|tout a l heure|juste avant|plus haut|au debut|avant|que je viens de",
    "topic": r"wifi|antivirus|sauvegarde\w*|mot\w* de passe|mise\w* a jour|assurance|site|rib|virement\w*|camera\w*|box|email|telephone\w*|caisse|prestataire|contrat|arnaque\w*|mobilite|metier|departs?|double code|windows|terminal|effectif|salarie\w*",
    "fix": r"en fait|finalement|a la reflexion|en y repensant|ah tiens|plutot|au temps pour moi|pardon|oups|mince|zut",
}
SLOTS = {
    **{f"v {name}": re.compile(rf" (?:{words})(?= )") for name, words in _ACTS.items()},
    **{f"o {name}": re.compile(rf" (?:{words})(?= )") for name, words in _THINGS.items()},
}


def slots(said: Said) -> list[str]:
    """The names of the pieces found."""
    return [name for name, pattern in SLOTS.items() if pattern.search(said.line)]
