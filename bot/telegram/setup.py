"""`autodiag telegram setup`: tells Telegram how the bot is reached and what it says of itself, in French.

May be run again at will: it puts everything back as it must be.
"""

from __future__ import annotations

from telegram import BotCommand, MenuButtonCommands
from telegram.error import InvalidToken, TelegramError

from bot.content import load_content
from bot.settings import Settings
from bot.telegram.pace import Pace
from bot.telegram.poll import WANTED
from bot.telegram.post import Post
from bot.telegram.webhook import PATH
from dialogue.words import Words

MENU = (
    "reprendre",
    "reponses",
    "resultat",
    "tutoriels",
    "rdv",
    "web",
    "aide",
    "mesdonnees",
    "supprimer",
    "privacy",
    "stop",
    "start",
)


class SetupFailed(Exception):
    """Telegram refused or did not answer; the message is a French sentence."""


async def setup(settings: Settings) -> list[str]:
    """Do it all; what was done, a sentence each. Raises SetupFailed."""
    content = load_content()
    words = Words(settings, content.tutorials, content.referential.glossary)
    post = Post(settings.telegram, Pace())
    try:
        return await _setup(settings, words, post)
    except InvalidToken:
        raise SetupFailed(
            "Telegram ne connaît pas ce jeton : vérifiez AUTODIAG_TELEGRAM_TOKEN auprès de BotFather."
        ) from None
    except TelegramError as error:
        cause = f" ({type(error.__cause__).__name__})" if error.__cause__ else ""
        raise SetupFailed(
            f"Telegram n'a pas répondu comme il faut : {type(error).__name__}{cause}. Réessayez."
        ) from None
    finally:
        await post.close()


async def _setup(settings: Settings, words: Words, post: Post) -> list[str]:
    bot, telegram = post.bot, settings.telegram
    done = [f"Bot trouvé : @{(await bot.get_me()).username}"]
    commands = [BotCommand(name, words.label(f"command_{name}")) for name in MENU]
    description, short = words.say("telegram_description"), words.say("telegram_short_description")
    for language in ("", "fr"):
        await bot.set_my_commands(commands, language_code=language or None)
        await bot.set_my_description(description, language_code=language or None)
        await bot.set_my_short_description(short, language_code=language or None)
    await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
    done.append(f"Commandes posées : {', '.join(f'/{name}' for name in MENU)}")
    done.append("Description, présentation courte et bouton de menu posés, en français.")
    if telegram.mode == "poll":
        await bot.delete_webhook()
        done.append("Mode poll : aucune adresse à donner, `autodiag serve` va chercher les messages.")
        return done
    address = settings.server.public_url + PATH
    if not settings.server.https:
        raise SetupFailed(
            f"Telegram n'apporte ses messages qu'en https : {address} ne convient pas (AUTODIAG_PUBLIC_URL)."
        )
    await bot.set_webhook(address, secret_token=telegram.secret.get_secret_value(), allowed_updates=WANTED)
    done.append(f"Mode webhook : Telegram apporte les messages à {address}, avec le secret convenu.")
    return done
