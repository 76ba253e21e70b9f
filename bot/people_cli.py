"""`autodiag consultant`, `federation` and `operator`: the same four commands for the people of each role.

Reads arguments, calls bot.people, prints; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bot import shell

if TYPE_CHECKING:
    from access.accounts import Role
    from bot.house import House

_ABOUT: Final[dict[Role, str]] = {
    "consultant": "Les experts : les inviter, voir qui entre, fermer, redonner l'entrée.",
    "federation": "Les fédérations : inviter, voir qui entre, fermer, redonner l'entrée.",
    "operator": "Les administrateurs : inviter, voir qui entre, fermer, redonner l'entrée.",
}
ROLES: Final = tuple(_ABOUT)

Name = Annotated[str, typer.Argument(help="Le nom de la personne, entre guillemets.", show_default=False)]
Mail = Annotated[str, typer.Option("--email", help="Son adresse e-mail.", show_default=False)]
Firm = Annotated[str, typer.Option("--firm", help="Son entreprise ; le commerçant la lira.", show_default=False)]
Branch = Annotated[str, typer.Argument(help="La branche : optique, chaussure…", show_default=False)]
Id = Annotated[str, typer.Argument(help="L'identifiant que donne « list ».", show_default=False)]


def people_app(role: Role) -> typer.Typer:
    """The commands of one role."""
    app = typer.Typer(no_args_is_help=True, help=_ABOUT[role])

    def say(do: Callable[[House], list[str]]) -> None:
        from bot.people import Wrong
        from store.engine import Unavailable

        here = shell.house()
        try:
            for sentence in do(here):
                print(sentence)
        except Wrong as wrong:
            shell.stop(2, wrong)
        except Unavailable as error:
            shell.stop(1, error)
        finally:
            here.store.close()

    if role == "federation":

        @app.command("invite")
        def invite_federation(branch: Branch, name: Name, email: Mail = "") -> None:
            """Ouvre un espace à une personne de la fédération, et donne le lien à lui remettre."""
            from bot import people

            say(lambda here: people.invite(here, role, name, email=email, branch=branch))

    else:

        @app.command("invite")
        def invite(name: Name, email: Mail = "", firm: Firm = "") -> None:
            """Ouvre un espace à cette personne, et donne le lien à lui remettre."""
            from bot import people

            say(lambda here: people.invite(here, role, name, email=email, firm=firm))

    @app.command("list")
    def listed() -> None:
        """Qui est invité, qui est entré, qui ne peut plus entrer."""
        from bot import people

        say(lambda here: people.listed(here, role))

    @app.command("revoke")
    def revoke(account: Id) -> None:
        """Ferme l'espace d'une personne, tout de suite, sur tous ses appareils."""
        from bot import people

        say(lambda here: people.revoke(here, role, account))

    @app.command("recover")
    def recover(account: Id) -> None:
        """Redonne l'entrée : les anciennes clés cessent tout de suite, et un nouveau lien est donné."""
        from bot import people

        say(lambda here: people.recover(here, role, account))

    return app
