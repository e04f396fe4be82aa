"""The pages of those who follow a presentation: where a code is typed, and where it is followed."""

import json
from html import escape

from cadran.publish.shell import bare_page
from cadran.text import Words

_STYLE = """
<style>
#about{position:sticky;top:0;z-index:8;display:flex;gap:12px;align-items:baseline;justify-content:space-between;
padding:6px 16px;background:var(--panel);border-bottom:1px solid var(--line);color:var(--muted);font-size:13px}
#about strong{color:var(--ink);letter-spacing:.08em;white-space:nowrap}
#said{max-width:40ch;margin:18vh auto 0;padding:0 24px;text-align:center;font-size:18px}
#said[hidden]{display:none}
#shown[data-still]{opacity:.55}
main.plain input{letter-spacing:.15em;text-transform:uppercase;font-size:20px}
</style>
"""


def follow_page(words: Words, script: str, code: str, spelt: str) -> str:
    """The page on which one follows. It is the same whatever the code, but for the code.

    Args:
        words: The follower's.
        script: Address of its script.
        code: Address of the module that draws pages.
        spelt: The room's code, to be read.
    """
    told = {
        "coming": words("One moment: the room is being joined."),
        "paused": words("The presenter shows nothing right now. This page goes on by itself."),
        "away": words("The presenter's page is away. This one goes on by itself once it is back."),
        "lost": words("The connection is lost. This page comes back by itself."),
        "over": words("The presentation is over."),
        "unknown": words("No room is open under this code. Look again at the presenter's screen."),
        "full": words("The room is full: as many follow as may. Trying again in a while."),
    }
    config = json.dumps({"code": code, "words": told}, ensure_ascii=False).replace("</", "<\\/")
    head = f'<script type="application/json" id="cadran">{config}</script>\n<script type="module" async src="{script}"></script>\n'
    body = (
        f'<header id="about"><span>{escape(words("You follow the presentation; only its presenter moves it."))}</span>'
        f"<strong>{escape(spelt)}</strong></header>"
        f'<p id="said" role="status">{escape(told["coming"])}</p><div id="shown"></div>'
        f"<noscript><main class=plain><p>{escape(words('To follow, allow JavaScript in your browser.'))}</p></main></noscript>"
    )
    return bare_page(words, words("Room"), body, _STYLE + head)


def entry_page(words: Words) -> str:
    """The page on which a code is typed."""
    asks = escape(words("The code on the presenter's screen"))
    body = (
        f'<main class=plain><h1>{escape(words("Follow a presentation"))}</h1><form method="get" action="/r">'
        f'<label for="code">{asks}</label>'
        f'<input id="code" name="code" required minlength="8" maxlength="12" autocomplete="off" autocapitalize="characters" '
        f'spellcheck="false" autofocus><input type="hidden" name="lang" value="{words.language}">'
        f"<button>{escape(words('Follow'))}</button></form></main>"
    )
    return bare_page(words, words("Follow a presentation"), body, _STYLE)
