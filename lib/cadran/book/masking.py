"""What a comment does not show: names of colleagues, e-mail addresses, phone numbers, postal addresses."""

import re
import unicodedata
from collections.abc import Iterable

#: What stands in the place of what is masked, in any language.
MASK = "[…]"
#: Particles of names, never a name by themselves.
_PARTICLES = frozenset(
    re.findall(
        r"\w+", "al bin da de del den der des di do dos du el ibn la las le les los mac mc of saint st the van von y"
    )
)
#: Names that are words of every day as well: masked only where they are written as a name.
_WORDS = frozenset(re.findall(
    r"\w+",
    """
    able angel art ash autumn baker banks barber bell berry best bill bird bishop black blanc bloom blue blanche bon bonnet
    bois boulanger bourgeois bright brown brun brook bush butler carpenter chance charbonnier charpentier chevalier church
    clair claire clement clerk coach cook cooper court courtois cross day dean dear drew dupuis east farmer faith field fisher ford
    forest fort fox frank france franc free garnier gay general gold good grace grand grant grave gray green grey gros guide hall
    hardy heart hill holly hope hunt hunter jack jardin jeune joly joy judge jolie just keen king knight lake lamb large
    law leblanc leger legrand lemaire lemoine leroux leroy leveque lily little long love loup luc lucky marchand marche
    marin mark marie martin mason matin mat max may merle meunier miller mine moon moore moreau moulin noir north page
    paix parent paris park parker pascal paul penny petit peter philippe pierre pike pilot poor pope porter potter power
    price prince pride rich richard rick riche ring robin rock roi rose rouge rousse roux royal ruby sage salle sand
    scott senior sharp shepherd short silver singer skip small smith snow sol south spring star stone strong sue summer
    sun swift tailor tanner taylor temple terry thin tour tuner turner vert vidal violet violette walker wall ward
    waters weaver welcome well wells west white wild will wills winter wise wolf wood woods work worth young
    """,
))  # fmt: skip
_WORD = re.compile(r"[^\W_]+")
_STREETS_FR = "rue|avenue|av|boulevard|bd|blvd|chemin|allées?|impasse|quai|route|sentier"
#: Words that also mean something else: a street only where a capital follows.
_PLACES_FR = "place|pl|cours|square|passage|villa|cité|résidence"
_STREETS_EN = (
    "street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|ct|square|sq|way|close|crescent|terrace"
    "|gardens|place|pl"
)
_ADDRESSES = [
    # E-mail addresses, also as they are written to hide them; links; handles.
    r"(?<![\w.+-])[\w.+-]{1,64}\s?(?:@|[\[(]\s?(?:at|arobase|a)\s?[\])]|\sarobase\s)\s?[\w-]{1,63}"
    r"(?:\s?(?:\.|[\[(]\s?(?:dot|point)\s?[\])]|\s(?:dot|point)\s)\s?[\w-]{1,63})+",
    r"\b(?:https?://|www\.)[^\s;,]+",
    r"(?<!\w)@\w[\w.-]+",
]  # fmt: skip
_NUMBERED = [
    # A number in a street, and what follows up to a comma; a code with its town.
    rf"\b\d{{1,4}}\s?(?:bis|ter|quater|[a-dA-D])?,?\s+(?:(?i:{_STREETS_FR})\b\.?|(?i:{_PLACES_FR})\b\.?"
    r"(?=(?:\s+(?:de|du|des|la|les?))*\s+(?:[ld]['’])?[A-ZÀ-Ý]))[^,;.\n]{1,60}(?:,?\s*\b\d{5}\b(?:\s+[A-ZÀ-Ý][\w'’-]+)*)?",
    rf"\b\d{{1,5}}[a-dA-D]?\s+(?:[A-Z][\w'’-]+\s+){{1,4}}(?i:{_STREETS_EN})\b\.?",
    r"\b\d{5}\s+[A-ZÀ-Ý][\w'’-]+(?:[ -][A-ZÀ-Ý][\w'’-]+)*",
    r"\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b",
    r"\b[A-Z][a-z]+,\s+[A-Z]{2}\s+\d{5}(?:-\d{4})?\b",
    # Phone numbers: with the code of a country; as in France; as in Britain; as in America; nine digits and more.
    r"(?:\+|\b00)\d{1,3}(?:[\s.()/-]*\d){6,13}\b",
    r"\b0\s?\d(?:[\s./-]*\d{2}){4}\b",
    r"\b0\d{2,4}[\s.-]\d{3,4}[\s.-]?\d{3,4}\b",
    r"(?<!\w)\(?\d{3}\)?[\s.-]\d{3}[.-]\d{4}\b|\(\d{3}\)\s?\d{3}\s\d{4}\b",
    r"\b\d{9,15}\b",
]  # fmt: skip
_HIDDEN, _HIDDEN_NUMBERS = (
    re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) for patterns in (_ADDRESSES, _NUMBERED)
)
_DIGIT = re.compile(r"\d")


def cleaned(text: str) -> str:
    """A text without signs that are not seen, its ends of lines as one sign; markup stays what it is, text."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if text.replace("\n", " ").isprintable():
        return text.strip()
    kept = ("\n" if sign == "\n" else " " if sign == "\t" else sign for sign in text)
    return "".join(sign for sign in kept if sign == "\n" or unicodedata.category(sign)[0] != "C").strip()


def name_words(names: Iterable[str]) -> list[str]:
    """The words by which people are named, as `masked` wants them.

    Args:
        names: Names, or e-mail addresses, of which what stands before the @ is looked at; a name may be an identifier.
    """
    words = set()
    for name in names:
        words |= {_folded(word) for word in _WORD.findall(name.partition("@")[0])}
    return sorted(
        word for word in words if word not in _PARTICLES and (len(word) > 2 or not word.isdigit()) and len(word) > 1
    )


def masked(text: str, names: Iterable[str]) -> str:
    """A text in which no address, number or name of `names` is left.

    A name is found with and without its accents, in capitals and in small letters; one of two letters, or one that is a
    word of every day too ("Petit", "Will"), only where it is written with a capital.
    """
    words = frozenset(names)
    text = _HIDDEN.sub(MASK, text)
    if _DIGIT.search(text):
        text = _HIDDEN_NUMBERS.sub(MASK, text)
    text = _WORD.sub(lambda found: MASK if _is_name(found[0], words) else found[0], text)
    # A name of several words is one mask.
    return re.sub(rf"{re.escape(MASK)}(?:[\s'’.-]{{0,2}}{re.escape(MASK)})+", MASK, text)


def _is_name(word: str, names: frozenset[str]) -> bool:
    folded = _folded(word)
    if folded not in names:
        return False
    return word[0].isupper() or not (folded in _WORDS or len(folded) < 3)


def _folded(word: str) -> str:
    """Without accents and capitals."""
    if word.isascii():
        return word.lower()
    return "".join(s for s in unicodedata.normalize("NFKD", word) if not unicodedata.combining(s)).casefold()
