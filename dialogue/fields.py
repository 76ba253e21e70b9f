"""Words that a form asks for: tidied where the meaning is plain, refused with the code of a sentence where it is not.

The sentences are in words/bad_text.j2.
"""

from __future__ import annotations

import re
import unicodedata

from referential.forms import FormQuestion

_PHONE = re.compile(r"(?:\+33|0033|0)\s*(?:\(0\)\s*)?([1-9])((?:[ .-]?\d){8})")
_EMAIL = re.compile(r"[^\s@<>,;:\"()]+@(?:[\w-]+\.)+[^\W\d_]{2,}")


def tidy(question: FormQuestion, text: str) -> tuple[str, str]:
    """What to keep of a typed answer, and the code of what is wrong with it: one of the two is empty."""
    spaced = re.sub(r"[^\S\n]+", " ", text)
    said = "".join(sign for sign in spaced if sign == "\n" or unicodedata.category(sign)[0] != "C").strip()
    if not said:
        return "", "empty"
    if len(said) > question.longest:
        return "", "too_long"
    match question.kind:
        case "phone":
            found = _PHONE.fullmatch(said)
            return (" ".join(_pairs(f"0{found[1]}{re.sub(r'[^0-9]', '', found[2])}")), "") if found else ("", "phone")
        case "email":
            return (said, "") if _EMAIL.fullmatch(said) and len(said) <= 254 else ("", "email")
        case "siret":
            digits = re.sub(r"[\s.]", "", said)
            return (digits, "") if re.fullmatch(r"[0-9]{14}", digits) and is_siret(digits) else ("", "siret")
        case "postcode":
            digits = re.sub(r"\s", "", said)
            return (digits, "") if re.fullmatch(r"(?!00)[0-9]{5}", digits) else ("", "postcode")
        case "number":
            return (str(int(said)), "") if re.fullmatch(r"[0-9]{1,5}", said) else ("", "number")
        case _:
            return said, ""


def is_siret(digits: str) -> bool:
    """Whether 14 digits have the key of a SIRET: Luhn's; or, for La Poste's own (INSEE), a sum that 5 divides."""
    if digits.startswith("356000000") and sum(map(int, digits)) % 5 == 0:
        return True
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(digits))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _pairs(digits: str) -> list[str]:
    return [digits[at : at + 2] for at in range(0, len(digits), 2)]
