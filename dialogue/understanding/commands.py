"""The words of commands, as patterns over plain words. A sure pattern is enough; a likely one gives way to an answer.

Nothing here records, and restart and erase only ever lead to a confirmation. Pure.
"""

# ruff: noqa: E501 — a pattern reads better in one piece
from __future__ import annotations

import re

from dialogue.events import COMMANDS, Command
from dialogue.understanding.plain import Said

COMMAND_WORDS: dict[str, Command] = {
    "retour": "back",
    "back": "back",
    "precedent": "back",
    "precedente": "back",
    "question precedente": "back",
    "question d avant": "back",
    "celle d avant": "back",
    "arriere": "back",
    "annuler": "back",
    "annule": "back",
    "pause": "pause",
    "faire une pause": "pause",
    "stop": "pause",
    "plus tard": "pause",
    "afk": "pause",
    "brb": "pause",
    "reprendre": "resume",
    "reprendre mes questions": "resume",
    "continuer": "resume",
    "continue": "resume",
    "on continue": "resume",
    "on reprend": "resume",
    "reprise": "resume",
    "suite": "resume",
    "la suite": "resume",
    "go": "resume",
    "re": "resume",
    "pourquoi": "why",
    "pourquoi donc": "why",
    "pourquoi ca": "why",
    "et alors": "why",
    "pourquoi cette question": "why",
    "utilite": "why",
    "repeter": "repeat",
    "repete": "repeat",
    "repetez": "repeat",
    "redis": "repeat",
    "pardon": "repeat",
    "quoi": "repeat",
    "comment": "repeat",
    "hein": "repeat",
    "plait il": "repeat",
    "aide": "help",
    "help": "help",
    "a l aide": "help",
    "exemple": "help",
    "un exemple": "help",
    "comment le savoir": "help",
    "comment savoir": "help",
    "approfondir": "deepen",
    "approfondir un theme": "deepen",
    "choisir un autre theme": "deepen",
    "autre theme": "deepen",
    "recommencer": "restart",
    "recommencer a zero": "restart",
    "reset": "restart",
    "restart": "restart",
    "supprimer": "erase",
    "effacer": "erase",
    "tout effacer": "erase",
    "purge": "erase",
    "voir un expert": "book",
    "rendez vous": "book",
    "prendre rendez vous": "book",
    "la visite": "book",
    "resultat": "result",
    "resultats": "result",
    "mon resultat": "result",
    "voir mon resultat": "result",
    "ma note": "result",
    "mon score": "result",
    "score": "result",
    "bilan": "result",
    "le bilan": "result",
    "verdict": "result",
    "voir d autres actions": "actions",
    "le message a transmettre": "verify",
    "mes reponses": "answers",
    "reponses": "answers",
    "humain": "human",
    "conseiller": "human",
    "parler a quelqu un": "human",
    "je suis attaque": "emergency",
    "je suis attaquee": "emergency",
    "on est attaque": "emergency",
    "au secours": "emergency",
}
"""What a text that says nothing else means. Words as `plain` leaves them: no apostrophes, no accents."""

_EARLIER = (
    r"(?:question|reponse|celle|choix|chose|truc)s? (?:juste )?(?:d avant|avant|precedente?s?)|tout a l heure"
    r"|precedente?s? (?:question|reponse)s?|juste avant|derniere (?:question|reponse)|reponse d avant"
)
_WRONG = r"(?:trompe|plante|emmele|gourre|plantee|trompee|goure)"
_SOMEONE = (
    r"(?:quelqu un|qqn|une? (?:vraie? |autre )?(?:personne|humain|conseiller|conseillere|gars|mec|technicien|interlocuteur"
    r"|etre humain|etre vivant|dame|monsieur)|humain|un de vos|votre (?:patron|boss|chef|equipe))"
)
_GO = r"(?:je|on|nous) (?:re)?(?:prend|prends|prendrai|prendra|prendrons|prenons|continue|continuera|continuerai|verra|fini\w*|termine\w*|poursui\w*|revien\w*)"
_LATER = (
    r"(?:plus tard|demain|ce soir|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|apres|une autre fois|tout a l heure"
    r"|dans (?:une|deux|cinq|dix|un|1|2|5|10|\d+) |ce week end|cet apres midi|un autre jour|quand j aurai|a la fermeture)"
)

_SURE: tuple[tuple[Command, str], ...] = (
    (
        "erase",
        (
            r" (?:supprim\w*|effac\w*|detrui\w*|enlev\w*|vire\w*|delete|oubli(?:ez|e) (?:moi|mes|tout)|jet(?:ez|te)|nettoi\w*|videz?|retir\w*|purg\w*) "
            r"(?:\w+ ){0,6}(?:donnees|mes reponses|mon historique|ma conversation|la conversation|mon compte|mon dossier|mes infos|mes informations"
            r"|ce que (?:je|j|vous)\b|trace|mon passage|ce que vous avez)"
        ),
    ),
    (
        "erase",
        r" (?:droit (?:a l oubli|d effacement)|aucune trace|pas (?:laisser )?de trace|retir\w* mon (?:consentement|accord)|au nom du rgpd|rgpd efface|efface moi|oubliez moi|oublie moi)",
    ),
    (
        "erase",
        r" (?:supprim\w*|effac\w*|delete|vire\w*|detrui\w*|enlev\w*|jet\w*|poubelle) (?:moi )?tout(?: (?:stp|de suite|ca|ce que|a la|s il).*)? $",
    ),
    (
        "erase",
        r" (?:gardiez|gardez|conserviez|conservez) (?:rien|plus|pas|aucun\w*) (?:\w+ ){0,3}(?:reponses|donnees|informations)| que vous (?:gardiez|conserviez|ayez) mes ",
    ),
    (
        "restart",
        (
            r" (?:recommenc\w*|re ?fai\w*|refaire|repart\w*|redemarr\w*|relanc\w*|reinitialis\w*|remet\w*|reprend\w*|repren\w*|revenons|retourn\w*) (?:\w+ ){0,6}"
            r"(?:a zero|a 0|de zero|de 0|du debut|au debut|tout debut|depuis le debut|du depart|du commencement|feuille blanche|le test|le questionnaire|l autodiag\w*|l evaluation|la premiere question|premiere question|tout du premier|un tour complet|tout$)"
        ),
    ),
    (
        "restart",
        r" (?:on recommence|recommencons|tout recommencer|tout refaire|je recommence|recommence tout|from scratch|nouveau depart|nouvelle evaluation|nouveau questionnaire|refais tout|je refais tout)",
    ),
    (
        "edit",
        r" (?:corrig\w*|rectifi\w*|rectif|modifi\w*|modif|remplac\w*|update|chang(?:e|er|ez|ons)) (?:\w+ ){0,5}(?:reponses?|ce que j ai|truc que j ai|choix|question)",
    ),
    ("edit", r" (?:corrigez|corrige|rectifiez|rectif|rectification|au temps pour moi|je rectifie|je corrige)\b"),
    ("edit", rf" (?:me suis|m etais|suis) {_WRONG} (?:pour|sur|a la|au|dans|de|en disant|concernant)"),
    (
        "edit",
        r" (?:mettez?|mets|met|notez?|marquez?|c est|c etait|plutot) (?:\w+ ){0,8}(?:a la|pour la|sur la|a celle|a l) (?:question |reponse )?(?:d avant|precedente|juste avant)",
    ),
    (
        "edit",
        r" (?:tout a l heure|plus haut|au debut|avant) (?:j ai|je vous ai|j avais) (?:dit|mis|repondu|note|ecrit|choisi)",
    ),
    (
        "edit",
        r" (?:j ai|j avais|je vous ai) (?:dit|mis|repondu|note|ecrit|choisi|coche) (?:\w+ ){0,8}(?:alors que|mais en fait|tout a l heure|n importe quoi|finalement c|en fait c|c est faux|ce n est pas ca)",
    ),
    (
        "edit",
        r" (?:je reviens|revenir|on revient|revenons) sur (?:ma|la|le|l|les|mes|ce que) (?!question (?:d avant|precedente))\w+",
    ),
    (
        "edit",
        r" la reponse (?:d avant|que j ai donnee|sur|du|de la|a la question) (?:\w+ ){0,6}(?:est fausse|fausse|pas bonne|n etait pas|erreur)",
    ),
    (
        "back",
        rf" (?:{_EARLIER}) $| (?:revenir|reviens|revenez|retour|retourn\w*|recul\w*|remont\w*|remet\w*|remets|refai\w*|revoir|repass\w*|reprend\w*|reaffich\w*) (?:\w+ ){{0,5}}(?:{_EARLIER}|en arriere|un cran|d une|d un coup|derriere|avant|precedente?)",
    ),
    (
        "back",
        r" (?:en arriere|marche arriere|retour en arriere|retour arriere|retour s il|retour svp|annul\w* (?:ma |la |le )?(?:derniere|dernier|reponse|choix))",
    ),
    (
        "back",
        rf" (?:oups|mince|zut|pardon|erreur|attendez|ah) (?:\w+ ){{0,6}}(?:{_EARLIER}|mauvais bouton|{_WRONG}|sans le vouloir)",
    ),
    (
        "back",
        rf" (?:me suis|m etais) {_WRONG}(?: de bouton| de reponse| de touche)? $| (?:appuye|clique|tape|repondu) (?:trop vite|a cote|sans le vouloir|par erreur|au mauvais)",
    ),
    ("back", r" (?:la )?question d avant (?:s il|svp|stp|la)| pas fini (?:avec )?l autre question"),
    (
        "answers",
        r" (?:mes|toutes mes|les) reponses (?:precedentes|ou sont|jusqu|pour|donnees|deja|s il|stp)| (?:voir|revoir|relire|relisez|montr\w*|affich\w*|list\w*|recap\w*|consult\w*|retrouv\w*|verifier|historique de|resume de|fai\w* voir|rappelez moi) (?:\w+ ){0,4}(?:mes reponses|mes choix|ce que j ai (?:dit|mis|repondu|ecrit|choisi|coche)|ce que je vous ai (?:dit|raconte)|ce que vous avez (?:note|compris|enregistre|retenu))",
    ),
    (
        "answers",
        r" (?:qu est ce que|que|quoi) (?:j ai|je vous ai|ai je) (?:deja )?(?:repondu|dit|mis)| j ai (?:repondu|dit|mis) quoi| (?:tu as|vous avez|qu avez vous|avez vous) (?:note|retenu|enregistre) (?:quoi|pour)",
    ),
    (
        "book",
        r" (?:prendre|pren\w*|fix\w*|reserv\w*|planifi\w*|organis\w*|book\w*|demand\w*|avoir|veux|voudrais|souhait\w*|aimerais|inscri\w*|ok|oui|d accord|partant|partante|interess\w*) (?:\w+ ){0,6}(?:rendez vous|visite|creneau|rencontre|passage|venue|audit)",
    ),
    (
        "book",
        r" (?:rendez vous|visite) (?:\w+ ){0,4}(?:possible|expert|consultant|sur place|gratuite?|lundi|mardi|mercredi|jeudi|vendredi|la semaine)",
    ),
    (
        "book",
        r" (?:expert|consultant|specialiste|technicien|conseiller|tech|monsieur|quelqu un|qqn|diagnostiqueur)\b (?:\w+ ){0,5}(?:passe|passer|vienne|venir|vient|viens|deplace|sur place|au magasin|chez nous|a la boutique|au shop|regarder)\b (?!quand|si|des)",
    ),
    (
        "book",
        r" (?:envoy\w*|qu on vienne|quand (?:est ce qu il |pouvez vous |peut il )?(?:peut |pouvez )?(?:passer|venir)|vos disponibilites|je veux l expert|l expert gratuit|vienne me voir|vienne voir)",
    ),
    (
        "human",
        rf" (?:parler|parle|causer|discut\w*|echang\w*|avoir|joindre|passe\w* moi|mett\w* moi en (?:relation|contact)|veux|voudrais|prefere\w*|donn\w*|besoin d|contacter|appeler|serai\w*) (?:\w+ ){{0,5}}{_SOMEONE}(?! (?:pour (?:l|le|la|ca)|de designe|qui s))",
    ),
    (
        "human",
        r" (?:vraie? (?:personne|gars|humain|etre)|etre humain|en chair et en os|un humain|parle pas aux (?:robots|machines)|pas (?:a|avec) (?:une machine|un robot|un ecran|un ordinateur)|quelqu un de reel|vous joindre|vous appeler|numero (?:a|ou|pour) (?:appeler|on|vous|joindre)|me rappeler|rappelez moi|etre rappelee?|appelez moi|au bout du fil|ya t il quelqu un|y a quelqu un|de vive voix avec vous|support tel\w*|votre numero)",
    ),
    (
        "why",
        r" (?:pourquoi (?:vous|tu|cette|me|on me|il|ca vous|demand|c est important|poser|faut)|a quoi (?:ca|sa|cela|bon|rime)|(?:ca|sa|cela) (?:vous |te |me )?(?:sert|apporte|change|avance) (?:a )?quoi|quel(?:le)? (?:est l )?(?:interet|rapport|but|raison|importance|utilite)|dans quel but|en quoi (?:ca|c est|cela|est)|vois pas le rapport|qu est ce que (?:ca|sa|cela) (?:change|peut vous faire|vous apporte)|c est quoi (?:l|le) (?:interet|rapport|but)|qu est ce que je risque|quel risque|comprends pas pourquoi|besoin de (?:ca|savoir) pourquoi|pourquoi (?:est ce|c est))",
    ),
    (
        "repeat",
        r" (?:repet\w*|redi(?:s|re|tes)|reformul\w*|repos\w* (?:la|moi)|relire la|re balance|remet\w* (?:moi )?(?:la question|les choix)|encore une fois|c etait quoi|c est quoi deja|vous disiez quoi|comment vous dites|perdu le fil|mal lu|pas (?:entendu|capte|saisi|suivi)|revoir la question|relirai\w*|la question (?:elle )?(?:a disparu|stp|svp|s il)|vois plus la question|les choix etaient|quelle etait la question|peux tu remettre|tu peux remettre)",
    ),
    (
        "help",
        r" (?:aidez? moi|m aider|besoin d aide|un (?:petit )?coup de (?:main|pouce)|comment (?:je |on |faut il |dois je )?(?:fai\w* pour )?(?:repond\w*|savoir|trouver|verifier|voir ca|vois ca|ca marche|sa marche|fonctionne|utilis\w*|m y prendre)|quoi (?:ecrire|repondre|taper)|(?:suis|je suis) (?:perdu|perdue|largue|larguee|paume|paumee|bloque ici)|ou (?:est ce que )?je (?:regarde|trouve|vois|cherche)|mode d emploi|me guider|guidez moi|par ou commencer pour|les commandes|donne\w* (?:moi )?(?:un|des) exemple|un exemple|tape quoi|faut faire quoi|que dois je faire|j y arrive pas|comprends (?:pas|rien a) (?:la|cette|votre) question|explications? pour|besoin d explication|expliquez? (?:moi )?(?:comment|la question)|je bloque|pouvez vous (?:preciser|expliquer|m eclairer)|plus de precisions?)",
    ),
    (
        "deepen",
        r" (?:approfond\w*|creus\w*|aller plus loin|va plus loin|plus loin sur|autres? (?:themes?|sujets?)|plus de (?:questions|details)|d autres questions|encore des questions|en savoir (?:plus|davantage)|version longue|questionnaire complet|parlons (?:plus|davantage)|plus en detail|tout regarder en detail|au fond du (?:truc|sujet)|questions de mon metier|etudier de plus pres|plus pousse|posez les moi toutes|on peut detailler|les autres themes|un autre sujet|theme suivant)",
    ),
    (
        "result",
        r" (?:mon|le|la|ma|mes|votre|un) (?:bilan|score|resultats?|synthese|diagnostic|compte rendu|rapport|verdict|niveau|note)(?: (?:s il|svp|stp|il est|ou|alors|au final|maintenant|global\w*|estime|final\w*))* $",
    ),
    (
        "result",
        r" (?:voir|donn\w*|montr\w*|afficher|veux|voudrais|avoir|fai\w*|quel est|quelle est|c est quoi|recevoir|consult\w*|obtenir|connaitre) (?:\w+ ){0,3}(?:mon|le|la|ma|mes) (?:bilan|score|resultats?|synthese|diagnostic|compte rendu|rapport|niveau|note|recapitulatif)",
    ),
    (
        "result",
        r" (?:j ai (?:eu )?combien|combien (?:sur 100|de points|j ai)|ca donne quoi|sa donne quoi|montrez? (?:moi )?ce que (?:ca|sa) donne|(?:je )?suis (?:je )?(?:bon|bonne|nul|nulle|mauvais|mauvaise) ou|m en sors|c est bon ou c est mort|qu est ce que vous en concluez|ou en suis je|ou j en suis|par quoi (?:je dois |dois je )?commencer|conseillez vous de faire|points faibles)",
    ),
    (
        "resume",
        r" (?:on en etait ou|ou en etions nous|ou (?:on|nous) (?:s |nous )?(?:etait|etions)|(?:je suis|me) (?:la|de retour|revoila|dispo|prete?|back|voila)(?: .*)?(?:on |suite|continu|repren|reprend|ecoute)|me revoila|(?:on|je|nous) (?:repart|enchaine\w*|s y remet|y va|reprend (?:la suite|ou)|continue (?:on|la|le))|allez la suite|question suivante|suivante|la suite s il|poursuiv\w*|finir ce que j ai commence|je vous ecoute|client (?:est )?parti|livraison est faite|pause (?:est )?finie|je reviens (?:comme promis|vers vous pour))",
    ),
    (
        "resume",
        r" (?:reprend\w*|reprenons|reprenez|continu\w*|repren\w*|pret\w*) (?:la suite|ou (?:on|nous)|l autodiag\w*|les questions|mes questions|le questionnaire|pour la suite|maintenant|s il vous)",
    ),
    (
        "pause",
        rf" {_GO} (?:\w+ ){{0,3}}{_LATER}| (?:stop|pause|arrete\w*|assez|suffit) (?:\w+ ){{0,2}}(?:pour (?:aujourd hui|l instant|ce soir|le moment|auj)|la pour|une minute|deux minutes)",
    ),
    (
        "pause",
        r" (?:faire une pause|une (?:petite )?pause|mett\w* (?:en|sur) pause|mets en pause|pause (?:s il|svp|stp)|enregistrer et quitter|sauvegardez et on|gardez tout au chaud|gardez mes reponses|je (?:vous|te) laisse|dois (?:vous|te) laisser|faut que j (?:y )?aille|je m absente|suis occupee?|je coupe la|on arrete la|on s arrete la|interrompre|suspendre|je reviens (?:dans|tout de suite|apres|vite|plus tard|demain|ce soir)?(?: .*)? $|terminer demain|a tout a l heure|patientez|le telephone sonne)",
    ),
    (
        "pause",
        r" (?:dois (?:servir|fermer|partir|filer|m arreter|y aller)|(?:attend\w*|deux|une|cinq|5|2) (?:\w+ )?(?:secondes?|minutes?|min)(?: .*)? $|j ai (?:un|une|du|des) (?:client\w*|livraison|livreur|rendez vous|monde|urgence au|appel)\b(?: .*)? $|(?:y a|il y a) (?:un|une|le|la|du) (?:client\w*|livreur|livraison|monde|telephone)(?: .*)? $|boutique pleine|coup de feu|le rush|plus le temps|pas le temps (?:la|maintenant|ce matin|ce soir)|le livreur (?:sonne|arrive|est la))",
    ),
)
SURE = tuple((name, re.compile(pattern)) for name, pattern in _SURE)
_LIKELY: tuple[tuple[Command, str], ...] = (
    (
        "edit",
        r" (?:en fait|finalement|enfaite|a la reflexion|en y repensant|en repensant|ah tiens|ah oui|au sujet|erreur) (?:\w+ ){0,3}(?:pour|sur|le|la|l|les|du|de|nous|on|au)",
    ),
    (
        "edit",
        r" (?:je change d avis|change d avis|c etait pas ca|ce n etait pas ca|n importe quoi pour|me suis trompee?|plutot que)",
    ),
    ("back", rf" (?:{_EARLIER})| (?:reviens|revenir|revenez|retour|arriere) "),
    (
        "pause",
        r" (?:reprendre|finirai|reprendrai|continuer(?:ai|a|ons)?|finis|termine\w*) | (?:pause|laisse|livreur|client qui arrive|ce soir|m attend|je sors) ",
    ),
    (
        "resume",
        r" (?:on (?:y va|reprend|repart|continue)|vas y|allez y|c est bon je suis|terminer|finir|poursuivre|de retour|la suite) ",
    ),
    (
        "erase",
        r" (?:supprim\w*|effac\w*|oubliez|retirez|detrui\w*) (?:\w+ ){0,3}(?:tout|moi|ca|rien)| rien ne soit garde",
    ),
    ("restart", r" (?:recommenc\w*|refaire|repartir|au debut|premiere question) "),
    ("human", rf" {_SOMEONE} | numero | conseiller "),
    ("book", r" (?:expert|visite|rendez vous|venir|vienne|creneau) "),
    ("result", r" (?:note|bilan|resultats?|score|niveau|synthese|conseillez) "),
    ("help", r" (?:aide|aider|guide|guider|perdue?|explique\w*|exemple|comment) "),
    ("repeat", r" (?:question|repeter|redire|relire|choix) "),
    ("why", r" (?:pourquoi|interet|rapport|sert|concerne|cherchez a savoir) "),
    ("deepen", r" (?:plus|davantage|details?|theme|questions?) "),
    ("answers", r" (?:reponses|repondu|ecrit|retenu|choisi) "),
)
LIKELY = tuple((name, re.compile(pattern)) for name, pattern in _LIKELY)
"""Where a likely pattern is only a hint: taken when the model agrees and no answer is near."""

_DEFINES = (
    re.compile(
        r"^ (?:dites moi |et |euh |alors |mais |excusez \w+ \w+ mais )*(?:c est quoi|c quoi|ce quoi|qu est ce que c est(?: que)?|qu est ce (?:que|qu)(?: vous appelez)?|definition(?: de)?|definir|que (?:veut|veux) dire"
        r"|que signifie|ca veut dire quoi|sa veut dire quoi|ca signifie quoi|ca designe quoi|qu appelez vous|qu entendez vous par|qui est) "
        r"(?:ca |sa |un |une |le |la |l |les |des |du |de |cette |ce )?(?P<word>\w+(?: \w+){0,4}?)(?: (?:exactement|au juste|s il vous plait|dites moi|ce machin|deja|svp|stp|en francais|par la))* $"
    ),
    re.compile(
        r"^ (?:euh |alors |et |mais |excusez mon ignorance mais |le mot |le terme |je (?:ne )?(?:connais|comprends) pas (?:le (?:mot|terme) )?)?(?:un |une |le |la |l |les |des |du |de )?"
        r"(?P<word>\w+(?: \w+){0,4}?) (?:c est quoi|ce quoi|c quoi|ki ce|qui ce|ca veut dire quoi|sa veut dire quoi|ca signifie(?: quoi)?|c est a dire|kezako|quesaco|ca designe quoi|qu est ce que c est|je (?:ne )?connais pas c|j ai (?:jamais entendu parler|pas compris le mot)|vous entendez quoi|ca me parle pas|traduisez)(?: .*)?$"
    ),
    re.compile(
        r" (?:je (?:ne )?(?:connais|comprends|sais) pas (?:le (?:mot|terme)|ce que (?:c est|veut dire)) (?:qu |que )?(?:un |une |le |la |l )?)(?P<word>\w+(?: \w+){0,3})"
    ),
    re.compile(r" (?:un|une|le|la) (?P<word>\w+(?: \w+){0,3}?) (?:moi )?je (?:ne )?sais pas ce que c est"),
    re.compile(
        r" (?:expliquez? moi|m expliquer|definissez?|traduisez) (?:ce qu est |ce que c est qu )?(?:un |une |le |la |l |les )?(?P<word>\w+(?: \w+){0,3}) $"
    ),
    re.compile(r" (?:le|la|l|un|une) (?P<word>\w+(?: \w+){0,2}) (?:la )?(?:le cloud )?vous pouvez (?:m )?expliquer"),
)
_NOT_A_WORD = re.compile(
    r"^(?:la question|ca|ton truc|votre truc|le but|l interet|l? ?interet|le rapport|rapport|deja|deja la question|la suite|ma note|note|mon score|les commandes|commandes|votre machin|ton nom|le probleme|probleme)$"
)


NAMES = frozenset(
    (
        "back",
        "edit",
        "pause",
        "resume",
        "why",
        "define",
        "repeat",
        "help",
        "deepen",
        "restart",
        "erase",
        "book",
        "result",
    )
) | {"human", "answers", "actions", "verify"}
"""Commands that words may say."""


def named(kind: str) -> Command:
    """The command of this name. Raises ValueError on anything else."""
    found = next((name for name in COMMANDS if name == kind and kind in NAMES), None)
    if found is None:
        raise ValueError(kind)
    return found


def alone(short: str) -> Command | None:
    """The command that these words say and nothing else, as `normal` leaves them."""
    return COMMAND_WORDS.get(" ".join(re.sub(r"[^a-z0-9 ]", " ", short).split()))


def command_of(said: Said) -> Command | None:
    """The command that these words surely say."""
    alone = said.line.strip()
    if found := COMMAND_WORDS.get(alone):
        return found
    return next((name for name, pattern in SURE if pattern.search(said.line)), None)


def hinted(said: Said) -> frozenset[Command]:
    """The commands that these words might say."""
    return frozenset(name for name, pattern in LIKELY if pattern.search(said.line))


def defined(said: Said) -> str:
    """The word whose meaning is asked, or nothing."""
    for pattern in _DEFINES:
        found = pattern.search(said.line)
        if found and not _NOT_A_WORD.match(found["word"]):
            return found["word"]
    return ""
