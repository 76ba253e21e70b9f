"""Signs of an attack under way: what is seen, that it is now, that it is here; and what says it is not.

Seen for nothing, the first gestures cost a line; missed, they cost a shop. Yet a talk about attacks is not one. Pure.
"""

# ruff: noqa: E501 — a pattern reads better in one piece
from __future__ import annotations

import re

from dialogue.understanding.plain import Said

_SIGNS: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "ransom": (
            r" (?:ran[cs]on\w*|ransom\w*|cryptolock\w*|bitcoins?|btc|crypto ?monnaie\w*|monnaie (?:etrange|virtuelle)"
            r"|payer pour (?:recuperer|ravoir|debloquer)|locked|encrypted|readme|lisez moi|compte a rebours|demande\w* (?:de |une )?(?:l )?(?:argent|somme|thune|paiement)"
            r"|tete de mort|your files|fichiers? (?:illisibles?|chiffres?|cryptes?|renommes?)|extension (?:bizarre|inconnue)) "
        ),
        "locked": (
            r" (?:tout|tous|toutes|ecrans?|ordinateurs?|caisses?|fichiers?|postes?|serveur|dossiers?|photos|factures|site|machines) "
            r"(?:\w+ ){0,6}(?:bloque\w*|verrouille\w*|illisible\w*|ouvre\w* (?:plus|pas)|ouvrir|rouge|noir|chiffre\w*|crypte\w*|disparu\w*|efface\w*|vides?|plus rien|demandent une cle|a l arret|clignote|remplace\w*|drapeau)"
        ),
        "english": r" (?:message|texte|ecran|fenetre|truc) (?:\w+ ){0,4}(?:en anglais|en russe|en chinois|rouge|bizarre)",
        "attacked": (
            r" (?:attaqu\w*|cyberattaqu\w*|pirat\w*|hack\w*|infect\w*|virus|malware|troyen|usurp\w*|intrusion|intrus|vole\w*|piege\w*|arnaqu\w*|escroqu\w*|phish\w*|hamecon\w*|fraud\w*) "
        ),
        "hand": r" (?:souris|curseur|fleche|clavier|ordinateur|ecran) (?:\w+ ){0,4}(?:bouge|bougent|deplace|clique|tape|ecrit|toute? seule?|tout seul)| (?:pris|prend|prennent) la main|(?:quelqu un|qqn|un type|un gars|on) (?:\w+ ){0,5}(?:clique|dans mon|dans notre|est dans|a pris) (?:\w+ ){0,3}(?:ordinateur|compte|page|place|pc|main)| a ma place| en mon nom| en notre nom",
        "spreading": r" (?:clients?|clientes?|contacts?|carnet) (?:\w+ ){0,6}(?:recoi\w*|recu\w*|faux|fausses|bizarres?|spams?|messages?)| (?:envoi\w*|part\w*|post\w*|publi\w*) (?:\w+ ){0,6}(?:a ma place|tout seul|toute seule|tout seuls|que je n ai pas|que nous n avons pas|pas envoyes?|jamais ecrits?|chelou\w*|spams?|degueu\w*|affreu\w*)",
        "shut_out": r" (?:plus (?:acces|rentrer|entrer|me connecter|ouvrir)|change\w* (?:de |le |mon |mes |son |l )?(?:mot de passe|email|adresse)|n ai plus acces|perdu l acces|vire de ma|ejecte\w*|connecte\w* a ma place|jarter)",
        "money": r" (?:vir\w+|vers\w+|debit\w*|prelevements?|retraits?|achats?|paye\w*|envoye\w*|parti\w*|vid\w+|transfer\w*) (?:\w+ ){0,9}(?:euros?|compte|rib|faux|pas fait\w*|pas autorise\w*|que je (?:ne )?connais pas|que nous|c est pas moi|pas moi|escroc\w*|lituanie|etranger|mauvais|sur un autre|vers|\d{3,}|mille)",
        "told": r" (?:donne|file|dicte|communique|saisi\w*|mis|rentre|tape|valide|confirme|envoye|donnee) (?:\w+ ){0,6}(?:code\w*|mot de passe|identifiants?|numeros?|carte\w*|appli\w*|sms|rib)",
        "caller": r" (?:au (?:telephone|bout du fil)|en ligne|appelle\w*|appel|coursier|a la porte|faux (?:conseiller|banquier|technicien|patron|policier|support)|soi disant|se (?:dit|fait passer)|pretend\w*|microsoft|support) ",
        "clicked": r" (?:cliqu\w*|ouvert|telecharg\w*|installe|lance|branche) (?:\w+ ){0,8}(?:lien|piece jointe|truc|fichier|mail|email|facture|cle|et (?:la|maintenant|depuis|tout))",
        "blackmail": r" (?:menac\w*|publier|mettre en ligne|divulgu\w*|chantage|a (?:toutes )?(?:mes|nos) donnees|si je (?:ne )?pay\w*|avant (?:vendredi|demain|lundi|48|24)|reclame\w*)",
        "stolen": r" (?:vole\w*|derobe\w*|cambriol\w*|disparu\w*) (?:\w+ ){0,5}(?:ordinateur|portable|telephone|serveur|disque|caisse|tablette|compte|page)| (?:ordinateur|portable|telephone|serveur|disque|caisse|page|compte|instagram|insta|facebook|whatsapp|gmail|paypal) (?:\w+ ){0,5}(?:vole\w*|pirat\w*|hack\w*|derobe\w*)",
        "device": r" (?:piece|boitier|plastique|truc|dispositif|camera) (?:\w+ ){0,6}(?:colle\w*|fente|lecteur|tpe|terminal)| (?:lecteur|terminal|tpe|caisse) (?:\w+ ){0,5}(?:trafique|change|colle|piege)",
        "line": r" (?:sim swap|plus de reseau|capte plus|ligne (?:\w+ ){0,3}transferee)",
        "antivirus": r" (?:antivirus|defender|windows) (?:\w+ ){0,4}(?:hurle|sonne|s affole|alerte|clignote|crie|detecte)| (?:sirene|haut parleur|appelez ce numero|fenetres? s ouvr\w*|par dizaines|imprimante crache)",
        "help": r" (?:au secours|sos|a l aide|aidez moi|help|que faire|je fais quoi|on fait quoi|qu est ce que je (?:fais|debranche)|je debranche|vite|urgent|urgence|panique|catastroph\w*) ",
    }.items()
}
_NOW = re.compile(
    r" (?:viens|vient|venons|en train|la maintenant|maintenant|en ce moment|a l instant|a cet instant|depuis (?:ce matin|hier|tout a l heure|cette nuit|une heure|dix minutes|\d+ minutes|que)"
    r"|ce matin|cette nuit|aujourd hui|il y a (?:\d+|dix|cinq|quinze|une|deux|trois|quelques) (?:minutes?|min|heures?|h)|hier(?: soir)?|tout de suite|encore dedans|la (?:il|y|on|tout|mon|ma|mes|je|j)|et la|est en cours|ca continue|la la|la $|tout a coup|d un coup|soudain\w*|plus rien|je (?:ne )?peux plus|j ai plus|je n ai plus)"
)
_BEFORE = re.compile(
    r" (?:en (?:20[01]\d|202[0-5]|deux mille)|(?:19|20[01])\d\d|202[0-5]|il y a (?:\w+ )?(?:ans?|annees?|mois|longtemps|quelques annees)|(?:ya|y a) (?:\w+ )?(?:ans?|longtemps)|(?:l an|annee|mois|semaine|ete|hiver) (?:dernier|derniere|passee?)|l an passe"
    r"|deja (?:eu|ete|vu|recu)|c etait|etait|avait|avions|regle depuis|c est regle|on l a recuperee?|rembourse\w*|depuis (?:longtemps|toujours|on|je)|une fois|autrefois|a l epoque|avant)"
)
_IF = re.compile(
    r" (?:si (?:un jour|on|je|j|jamais|ca|quelqu un|nous|l|mon|le|la|un|une|demain|cela)|en cas d\w*|au cas ou|le jour ou|quand|contre|eviter|pour pas|imagin\w*|supposons|j ai peur|crain\w*|risque\w*|pourrait|appellerais|ferais|ferait|devrait|possible que|jamais|aucun\w*|pas (?:de|d|eu|ete|encore)|rien|non|zero|toujours|chaque fois|tous les jours|souvent|d habitude|en general|on fait attention|formation|assurance|couvre|couvert|protege\w*|bloque les|normal|pas grave|rien de grave|touche du bois)"
)
_ELSEWHERE = re.compile(
    r" (?:voisine?|cousine?|pote|copine?|copain|ami|amie|confrere|collegue d|un client|une cliente|le boucher|boulanger|coiffeuse|a cote|hopital|mairie|tele|journal|radio|youtube|lu (?:un|que|dans|sur)|vu (?:a|un|sur|dans)|entendu|raconte\w*|on m a parle|il parait|les autres|aux gros|les gens|certains|mon ex|mes parents)"
)
MARKS = (*_SIGNS, "now", "before", "if", "elsewhere")
DIRECT = re.compile(
    r"^ (?:\w+ ){0,3}(?:sos|(?:je (?:suis|me suis fait)|on (?:est|se fait|s est fait|vient de se faire)|nous sommes|on m a|on nous a) (?:en train d etre |entrain d etre |en train de se faire )?"
    r"(?:pirat\w*|hack\w*|attaqu\w*|cyberattaqu\w*|arnaqu\w*|escroqu\w*)|cyberattaque|attaque(?: en cours| informatique)?|demande de rancon|rancon a l ecran|ransomware|rancongiciel)(?: \w+){0,4} $"
)
"""Few words that leave no doubt, unless they are in the past or denied."""
_JUST_DONE = re.compile(
    r" (?:viens|vient|venons) (?:de |d )(?:\w+ ){0,3}(?:donner|dicter|filer|communiquer|virer|verser|payer|transferer|envoyer|valider|virement|confirmer)"
)
_NOT_THEM = re.compile(
    r" (?:escroc\w*|arnaqu\w*|fau(?:x|sse)|n? ?etait pas|soi disant|pretendait|pas (?:le|la|l|notre|mon|ma) (?:vraie?|bonne?|siege|fournisseur|banque|patron)) "
)
"""Something just done for somebody who was not who they said: money or a code is gone, whatever tense tells the rest."""


def marks(said: Said) -> dict[str, bool]:
    """Which signs these words carry."""
    found = {name: bool(pattern.search(said.line)) for name, pattern in _SIGNS.items()}
    return found | {
        "now": bool(_NOW.search(said.line)),
        "before": bool(_BEFORE.search(said.line)),
        "if": bool(_IF.search(said.line)),
        "elsewhere": bool(_ELSEWHERE.search(said.line)),
    }


def doubt(seen: dict[str, bool], each: float) -> float:
    """How much more sure to be, for all that speaks against an attack under way."""
    signs = any(seen[name] for name in _SIGNS)
    against = (not signs) + (not seen["now"]) + (seen["before"] or seen["elsewhere"]) * 0.5 + seen["if"] * 0.3
    return each * against


def plainly(said: Said, seen: dict[str, bool]) -> bool:
    """Whether it is said in so many words that an attack is under way."""
    heard = said.line.replace(" anti virus ", " antivirus ")
    told = any(word.startswith(("virus", "pirat", "hack", "attaqu", "rancon", "ransom")) for word in heard.split())
    if _JUST_DONE.search(said.line) and _NOT_THEM.search(said.line) and not seen["elsewhere"]:
        return True
    if DIRECT.search(said.line) and not (seen["before"] or seen["if"] or seen["elsewhere"]):
        return True
    return told and len(said.words) <= 4 and not (seen["before"] or seen["if"] or seen["elsewhere"])
