"""What core.telegram.org says of the methods that we call: fields, lengths, bytes. What breaks one is refused."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

TEXT, CAPTION, DATA, CALLBACK = 4096, 1024, 64, 200
BUTTONS = 100
METHODS: dict[str, tuple[set[str], set[str]]] = {
    "getMe": (set(), set()),
    "getUpdates": (set(), {"offset", "limit", "timeout", "allowed_updates"}),
    "setWebhook": ({"url"}, {"secret_token", "allowed_updates", "max_connections", "drop_pending_updates"}),
    "deleteWebhook": (set(), {"drop_pending_updates"}),
    "setMyCommands": ({"commands"}, {"scope", "language_code"}),
    "setMyDescription": (set(), {"description", "language_code"}),
    "setMyShortDescription": (set(), {"short_description", "language_code"}),
    "setChatMenuButton": (set(), {"chat_id", "menu_button"}),
    "sendMessage": ({"chat_id", "text"}, {"parse_mode", "reply_markup", "link_preview_options"}),
    "sendPhoto": ({"chat_id", "photo"}, {"caption", "parse_mode", "reply_markup"}),
    "sendDocument": ({"chat_id", "document"}, {"caption", "parse_mode"}),
    "editMessageText": (
        {"chat_id", "message_id", "text"},
        {"parse_mode", "reply_markup", "link_preview_options"},
    ),
    "editMessageReplyMarkup": ({"chat_id", "message_id"}, {"reply_markup"}),
    "deleteMessage": ({"chat_id", "message_id"}, set()),
    "answerCallbackQuery": ({"callback_query_id"}, {"text", "show_alert"}),
    "leaveChat": ({"chat_id"}, set()),
}
MESSAGES = {"sendMessage", "sendPhoto", "sendDocument", "editMessageText"}
"""What counts as a message of its chat."""
_TAGS = {"b", "i", "u", "s", "code", "pre", "a"}


class Broken(Exception):
    """A request that the Bot API refuses with 400."""


class _Markup(HTMLParser):
    """Reads Telegram's HTML: known tags, closed in order; gives the text that is left."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.open = "", list[str]()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in _TAGS:
            raise Broken(f"can't parse entities: unsupported start tag {tag}")
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise Broken(f"can't parse entities: unexpected end tag {tag}")

    def handle_data(self, data: str) -> None:
        self.text += data


def read_html(text: str) -> str:
    """The text that a person reads."""
    reader = _Markup()
    reader.feed(text)
    reader.close()
    if reader.open:
        raise Broken("can't parse entities: tag left open")
    return reader.text


def length(text: str) -> int:
    """In UTF-16 units, as Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def check(method: str, given: dict[str, Any]) -> dict[str, Any]:
    """The request as the API understands it. Raises Broken."""
    if method not in METHODS:
        raise Broken(f"unknown method {method}")
    needed, allowed = METHODS[method]
    if missing := needed - set(given):
        raise Broken(f"{method}: missing {missing}")
    if unknown := set(given) - needed - allowed:
        raise Broken(f"{method}: unknown fields {unknown}")
    read = dict(given)
    for name, most in (("text", TEXT if method != "answerCallbackQuery" else CALLBACK), ("caption", CAPTION)):
        if name in read:
            plain = read_html(read[name]) if read.get("parse_mode") == "HTML" else read[name]
            if not (1 if name == "text" else 0) <= length(plain.strip()) or length(plain) > most:
                raise Broken(f"{method}: {name} has {length(plain)} characters")
            read[name] = plain
    if "reply_markup" in read:
        read["reply_markup"] = _keyboard(json.loads(read["reply_markup"]))
    _lengths(method, read)
    return read


def _lengths(method: str, read: dict[str, Any]) -> None:
    if method == "setWebhook" and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", read.get("secret_token", "x")):
        raise Broken("secret_token")
    for name, most in (("description", 512), ("short_description", 120)):
        if length(read.get(name, "")) > most:
            raise Broken(f"{name} has {length(read[name])} characters")
    for command in json.loads(read.get("commands", "[]")):
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]) or not 1 <= length(command["description"]) <= 256:
            raise Broken(f"command {command}")


def _keyboard(markup: dict[str, Any]) -> list[list[dict[str, str]]]:
    rows: list[list[dict[str, str]]] = markup["inline_keyboard"]
    for button in (button for row in rows for button in row):
        if set(button) - {"text", "callback_data", "url"} or not button["text"].strip():
            raise Broken(f"button {button}")
        if not 1 <= len(button["callback_data"].encode()) <= DATA:
            raise Broken(f"BUTTON_DATA_INVALID {button['callback_data']}")
    if sum(map(len, rows)) > BUTTONS or any(len(row) > 8 or not row for row in rows):
        raise Broken("too many buttons, or an empty row")
    return rows
