"""The respondents' page as HTML: one file with its style and script, readable and usable without the script."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path

from cadran.figures.theme import FONT, variables
from cadran.publish.survey_form import MOST_SIGNS, NONE, PREFIX, SWITCH, Question, Sent
from cadran.publish.survey_terms import in_language, told_first
from cadran.tables.pulse import ENPS, Terms
from cadran.text import LANGUAGES, Words

_HERE = Path(__file__).parent
#: Languages by the name their readers know them under.
_NAMES = {"en": "English", "fr": "Français"}
#: A label of at most so many characters, no word of it longer than a line, stands under the point it names.
_SHORT, _WORD = 30, 10


@cache
def _style() -> str:
    themes = f":root{{{variables('light')}}}@media(prefers-color-scheme:dark){{:root{{{variables('dark')}}}}}"
    return f"{themes}body{{font-family:{FONT}}}\n{(_HERE / 'survey.css').read_text('utf-8')}"


@cache
def _script() -> str:
    return (_HERE / "js" / "survey.js").read_text("utf-8")


@cache
def policy() -> str:
    """What the page may do: apply its own style, run its own script, talk to where it came from."""
    style, script = (b64encode(sha256(each.encode()).digest()).decode() for each in (_style(), _script()))
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; connect-src 'self'; "
        "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def form_page(
    words: Words,
    terms: Terms,
    questions: Sequence[Question],
    closes: datetime | None,
    sent: Sent | None = None,
) -> str:
    """The questions, under what the respondent is to know first.

    Args:
        words: The reader's words.
        terms: What was declared of the survey.
        questions: Rows of `tables.pulse.Question`.
        closes: When it closes, in the time zone it is told in; null where that is not set.
        sent: What came back and is shown again, with what is wrong in it.
    """
    title = in_language(terms.title, words)
    wrong = sent.wrong if sent else {}
    is_empty = sent is not None and sent.switch is None and not wrong
    until = int(closes.timestamp() * 1000) if closes else ""
    other = next(each for each in LANGUAGES if each != words.language)
    shown = "".join(
        _question(each, i, len(questions), words, sent.entered.get(each["question_id"]) if sent else None,
                  wrong[each["question_id"]].told(words) if each["question_id"] in wrong else None)
        for i, each in enumerate(questions, 1)
    )  # fmt: skip
    body = f"""<main data-cadran data-until="{until}">
<form method="post" action="?lang={words.language}" accept-charset="utf-8" autocomplete="off" novalidate\
 data-words="{_told(words)}"{"" if sent else " data-fresh"}>
<button name="{SWITCH}" value="{words.language}" class="unseen" tabindex="-1" aria-hidden="true"></button>
<progress max="{len(questions)}" value="0" aria-label="{escape(words("Questions answered"))}" hidden></progress>
<header><h1>{escape(title)}</h1><button class="quiet" name="{SWITCH}" value="{other}" formaction="?lang={other}"\
 lang="{other}">{_NAMES[other]}</button></header>
{_summary(words, questions, wrong, is_empty)}{told_first(words, terms, len(questions), closes)}
{shown}
<footer><p id="left" class="muted"></p>
<button id="send">{escape(words("Send my answers"))}</button>
<p id="state" role="status"></p>
<p class="muted">{escape(words("Once sent, answers cannot be changed: the link works once."))}</p>
<p class="muted" id="kept" hidden>{escape(words("Until you send it, what you enter is kept on this device only."))}
<button type="reset" class="quiet">{escape(words("Erase it"))}</button></p></footer>
</form></main>"""
    return _page(words, f"{words('To correct')} – {title}" if wrong or is_empty else title, body)


def thanks_page(words: Words, terms: Terms, closes: datetime | None) -> str:
    """What is said once the answers are in: that they are, and what happens next."""
    said = [
        words("The survey closes on {moment}. Its results come after that.", moment=words.moment(closes))
        if closes
        else words("Results come once the survey is closed."),
        words(
            "They are told for groups in which at least {minimum} people answered, never for one person.",
            minimum=words.number(terms.minimum),
        ),
        words("You can close this page. Your link has been used and opens nothing any more."),
    ]
    return message_page(words, words("Thank you: your answers have arrived"), said, is_over=True)


def message_page(words: Words, title: str, said: Sequence[str], is_over: bool, switch: bool = False) -> str:
    """A title and sentences. Where all `is_over`, the device deletes what it kept; `switch` offers the other language."""
    other = next(each for each in LANGUAGES if each != words.language)
    link = (
        f'<a class="quiet" href="?lang={other}" hreflang="{other}" lang="{other}">{_NAMES[other]}</a>' if switch else ""
    )
    done = " data-done" if is_over else ""
    body = "".join(f"<p>{escape(each)}</p>" for each in said)
    head = f'<header><h1 tabindex="-1">{escape(title)}</h1>{link}</header>'
    return _page(words, title, f'<main data-cadran{done} class="said">{head}{body}</main>')


def _page(words: Words, title: str, main: str) -> str:
    return f"""<!doctype html>
<html lang="{words.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>{_style()}</style>
</head>
<body>
{main}
<script>{_script()}</script>
</body>
</html>
"""


def _summary(words: Words, questions: Sequence[Question], wrong: Mapping[str, object], is_empty: bool) -> str:
    """What is wrong, at the top: told at once to who listens, with links to where."""
    if is_empty:
        told = escape(words("Nothing has been answered yet: answer one question at least."))
        return f'<div id="wrong" role="alert" tabindex="-1" autofocus><p><a href="#q1a">{told}</a></p></div>'
    if not wrong:
        return ""
    links = "".join(
        f'<li><a href="#q{i}a">{escape(_text(each, words))}</a></li>'
        for i, each in enumerate(questions, 1)
        if each["question_id"] in wrong
    )
    title = escape(words.n("Nothing was sent yet: one answer is to be corrected.",
                           "Nothing was sent yet: {n} answers are to be corrected.", len(wrong)))  # fmt: skip
    return f'<div id="wrong" role="alert" tabindex="-1" autofocus><p>{title}</p><ul>{links}</ul></div>'


def _question(each: Question, i: int, n: int, words: Words, entered: str | None, wrong: str | None) -> str:
    number = f'<span class="number">{i}<i>/{n}</i></span> '
    text = number + escape(_text(each, words))
    fault = f'<p class="wrong" id="q{i}e">{escape(wrong)}</p>' if wrong else ""
    told = f' aria-describedby="q{i}e"' if wrong else ""
    if each["kind"] == "comment":
        return _comment(each, i, words, text, entered or "", fault)
    name = escape(PREFIX + each["question_id"])
    labels = _labels(each, words)
    if each["kind"] == "choice":
        inner = _radios(name, i, {str(k): escape(label) for k, label in enumerate(labels)}, entered, "list")
    else:
        inner = _scale(each, name, i, labels, entered)
    none = _radio(name, NONE, escape(words("No answer")), entered, f"q{i}n")
    return (
        f'<fieldset id="q{i}" role="radiogroup"{told}{" aria-invalid=true" if wrong else ""}><legend>{text}</legend>'
        f'{fault}{inner}<div class="none">{none}</div></fieldset>'
    )


def _scale(each: Question, name: str, i: int, labels: Sequence[str], entered: str | None) -> str:
    """Each point under its label; or numbers in a row, their ends named below and read out with the number."""
    points = range(each["low"], each["high"] + 1)
    look = "numbers" if len(points) <= 11 else "many"
    if len(labels) == len(points) and each["kind"] not in ENPS:
        is_short = all(len(label) <= _SHORT and all(len(w) <= _WORD for w in label.split()) for label in labels)
        named = {str(point): escape(label) for point, label in zip(points, labels, strict=True)}
        return _radios(name, i, named, entered, "tiles" if is_short and len(points) <= 5 else "list")
    read_out = {points[0]: labels[0], points[-1]: labels[-1]} if labels else {}
    numbers = {
        str(point): f"{point}<span class=unseen>: {escape(read_out[point])}</span>" if point in read_out else str(point)
        for point in points
    }
    ends = "".join(f"<span>{escape(label)}</span>" for label in read_out.values())
    return _radios(name, i, numbers, entered, look) + f'<div class="ends" aria-hidden="true">{ends}</div>'


def _radios(name: str, i: int, options: Mapping[str, str], entered: str | None, look: str) -> str:
    radios = "".join(
        _radio(name, value, label, entered, "" if k else f"q{i}a") for k, (value, label) in enumerate(options.items())
    )
    return f'<div class="{look}">{radios}</div>'


def _radio(name: str, value: str, label: str, entered: str | None, id_: str) -> str:
    marks = f' id="{id_}"' if id_ else ""
    return (
        f'<label><input type="radio" name="{name}" value="{value}"{marks}{" checked" if entered == value else ""}>'
        f"<span>{label}</span></label>"
    )


def _comment(each: Question, i: int, words: Words, text: str, entered: str, fault: str) -> str:
    note = words("Please name nobody, yourself included. Leave it empty if you prefer.")
    limit = words("At most {n} characters", n=words.number(MOST_SIGNS))
    return (
        f'<div class="question" id="q{i}"><label for="q{i}a">{text}</label>{fault}<p class="muted" id="q{i}d">{escape(note)}</p>'
        f'<textarea id="q{i}a" name="{escape(PREFIX + each["question_id"])}" rows="3" data-most="{MOST_SIGNS}"'
        f' aria-describedby="q{i}e q{i}d q{i}c"{" aria-invalid=true" if fault else ""}>\n{escape(entered)}</textarea>'
        f'<p class="muted count" id="q{i}c">{escape(limit)}</p></div>'
    )


def _told(words: Words) -> str:
    """The sentences that the script says, as JSON within an attribute. `{n}` is filled in there."""
    told = {
        "left": words("Left without an answer: {n}. You may send it so."),
        "all": words("All answered."),
        "characters": words("Characters left: {n}"),
        "over": words("Characters too many: {n}"),
        "sending": words("Sending…"),
        "later": words("Not sent yet: no answer from the server. Nothing is lost; trying again in {n} s."),
        "now": words("Try now"),
        "long": words("A comment is too long: shorten it, then send."),
    }
    return escape(json.dumps(told, ensure_ascii=False))


def _text(each: Question, words: Words) -> str:
    return str(each[f"text_{words.language}"] or each["text_en"])


def _labels(each: Question, words: Words) -> list[str]:
    return list(each[f"labels_{words.language}"] or each["labels_en"] or ())
