"""The page a reader gets at once: the prepared picture, and the live page coming behind it."""

import json
from datetime import datetime
from html import escape
from string import Template
from typing import Any

from cadran.figures.page import chrome_style, stylesheet
from cadran.figures.theme import FONT
from cadran.text import Words

#: Seconds after which the page says that the live one is late.
PATIENCE = 20
#: Names in an address that mean something to marimo and nothing to a page of ours.
NOT_FORWARDED = ["session_id", "file", "kiosk", "access_token", "refresh_token"]

_PAGE = Template("""<!doctype html>
<html lang="$language"$theme>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="$scheme">
<title>$title</title>
<link rel="icon" href="data:image/svg+xml,$icon">
<style>$style</style>
$head</head>
<body>
<p id="note" role="status" hidden></p>
<div id="line" role="status" hidden><span></span> <button type="button">$reload</button></div>
$body
</body>
</html>
""")

_ICON = (
    "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='6.5' fill='none' "
    "stroke='%231b5fc1' stroke-width='2'/%3E%3Cpath d='M8 8V3.5M8 8l3 2' stroke='%231b5fc1' stroke-width='2' "
    "stroke-linecap='round'/%3E%3C/svg%3E"
)

_STYLE = """
html,body{margin:0;background:var(--paper);color:var(--ink)}
#live.coming,#live>.coming{position:absolute!important;
inset:0 0 auto 0;visibility:hidden;overflow:hidden!important;height:100vh!important}
#picture[aria-busy]{pointer-events:none}
#live iframe{border:0;width:100%;height:100vh;display:block}
#line{position:fixed;z-index:9;left:50%;bottom:16px;transform:translateX(-50%);padding:8px 16px;background:var(--panel);
border:1px solid var(--line);border-left:4px solid var(--accent);border-radius:6px;max-width:min(90vw,60ch)}
#line[hidden]{display:none}
#line button{font:inherit;color:var(--accent);background:none;border:0;text-decoration:underline;cursor:pointer}
[data-stale] #live{opacity:.6}
#notice{max-width:1240px;margin:0 auto;padding:12px 24px;border-left:4px solid var(--accent)}
#note{box-sizing:border-box;max-width:1192px;margin:8px auto;padding:8px 16px;background:var(--panel);
border:1px solid var(--line);border-left:4px solid var(--accent);border-radius:6px}
#note[hidden]{display:none}
#who{max-width:1240px;margin:0 auto;padding:8px 24px 24px;display:flex;gap:16px;align-items:baseline;color:var(--muted)}
#who a,#who button{color:inherit;font:inherit;background:none;border:0;padding:4px 0;text-decoration:underline;cursor:pointer}
#who form{margin:0}
main.plain{max-width:60ch;margin:12vh auto;padding:0 24px}
main.plain a{color:var(--accent)}
main.plain form{display:grid;gap:6px;max-width:32ch;margin:16px 0}
main.plain input{font:inherit;padding:10px;color:var(--ink);background:var(--panel);
border:1px solid var(--muted);border-radius:6px}
main.plain form button{font:inherit;font-weight:600;min-height:44px;margin-top:10px;
border:1px solid var(--accent);border-radius:6px;background:var(--accent);color:var(--paper);cursor:pointer}
main.plain form button.quiet{background:none;color:var(--accent);margin:0}
main.plain form input+button.quiet{margin-top:10px}
main.plain a.go{display:block;box-sizing:border-box;max-width:32ch;padding:10px 8px;font-weight:600;text-align:center;
text-decoration:none;border:1px solid var(--accent);border-radius:6px;background:var(--accent);color:var(--paper)}
main.plain .or{color:var(--muted);margin:20px 0 0}
main.plain :focus-visible{outline:3px solid var(--accent);outline-offset:2px}
main.plain .said{border-left:4px solid var(--accent);padding:4px 12px;white-space:pre-line}
main.plain #rule{margin:0;color:var(--muted)}
#room{position:fixed;z-index:8;right:16px;bottom:16px;max-width:min(92vw,340px);font-size:14px}
#room[hidden]{display:none}
#room button{font:inherit;min-height:32px;padding:4px 12px;color:var(--accent);background:var(--panel);
border:1px solid var(--accent);border-radius:6px;cursor:pointer}
#room .begin,#room summary{font-weight:600;padding:6px 14px;background:var(--panel);color:var(--ink);
border:1px solid var(--line);border-left:4px solid var(--accent);border-radius:6px;cursor:pointer}
#room summary .spelt{letter-spacing:.08em}
#room details[open]{background:var(--panel);border:1px solid var(--line);border-radius:8px;box-shadow:0 4px 24px #0003}
#room details[open] summary{border-width:0 0 1px;border-radius:8px 8px 0 0}
#room .card{padding:12px 16px;display:grid;gap:8px;justify-items:center;text-align:center}
#room .card p{margin:0}#room .card p[hidden]{display:none}
#room .picture svg{display:block;width:240px;height:240px;border-radius:4px}
#room .code{font-size:32px;line-height:1.1;letter-spacing:.08em}
#room .entry{color:var(--ink);overflow-wrap:anywhere}#room .quiet{color:var(--muted)}
#room .wrong{margin:0 0 8px;padding:8px 12px;background:var(--panel);border:1px solid var(--line);border-left:4px solid var(--bad)}
#room .wrong[hidden]{display:none}
#room :focus-visible{outline:3px solid var(--accent);outline-offset:2px}
@media print{#room{display:none}}
.skeleton{max-width:1240px;margin:0 auto;padding:24px;display:grid;gap:16px;grid-template-columns:repeat(4,1fr)}
.skeleton i{background:var(--panel);border:1px solid var(--line);border-radius:8px;height:96px}
.skeleton i.wide{grid-column:span 2;height:280px}.skeleton i.bar{grid-column:1/-1;height:48px}
@media(max-width:700px){.skeleton{grid-template-columns:1fr 1fr}}
"""

_SKELETON = f"<div class=skeleton aria-hidden=true><i class=bar></i>{'<i></i>' * 4}{'<i class=wide></i>' * 4}</div>"


def shell_page(
    *,
    words: Words,
    title: str,
    theme: str | None,
    picture: str | None,
    live: str,
    script: str,
    code: dict[str, str],
    signed_in: str | None = None,
    has_rooms: bool = False,
    notice: str = "",
    taken: datetime | None = None,
) -> str:
    """The shell of one app.

    Args:
        words: The reader's words.
        title: What the browser's tab says.
        theme: "light", "dark", or None for what the reader's machine prefers.
        picture: The prepared first sight as HTML; None shows the page's shape until the live page has drawn.
        live: Address of the live app.
        script: Address of the script that brings the live page.
        code: Address of each widget's module, by widget.
        signed_in: Who is signed in; None where nobody signs in.
        has_rooms: Whether what it presents may be followed on phones.
        notice: What they are to know before they look.
        taken: When the book's data was taken: told to whom a page of an earlier version was shown.
    """
    told = {
        "slow": words("The live page is late. What you see was prepared before."),
        "failed": words("The live page could not be shown. What you see was prepared before."),
        "lost": words("The connection to Cadran is lost: what you see no longer answers."),
        "broken": words("The last change could not be computed: what you see is from before it."),
        "room": words("Cadran closed this page to make room: reload it to go on."),
        "full": words("Cadran is full at this moment. What you see was prepared before; reload it in a minute."),
        "many": words("You have as many live pages open as one reader may. Close another one, then reload this one."),
        "deaf": words(
            "No live connection (WebSocket) gets from this browser to Cadran: what you see was prepared before and does not answer."
        ),
        "renewed": words("The data is now of {moment}.", moment=words.moment(taken)) if taken else "",
    }
    config: dict[str, Any] = {
        "live": live, "language": words.language, "ours": NOT_FORWARDED, "code": code, "words": told,
        "patience": PATIENCE, "room": has_rooms,
    }  # fmt: skip
    head = (
        f'<script type="application/json" id="cadran">{_as_json(config)}</script>\n'
        f'<script type="module" async src="{script}"></script>\n'
        + "".join(f'<link rel="preload" as="script" crossorigin href="{url}">\n' for url in code.values())
    )
    no_script = escape(words("This picture was prepared before: to explore it, allow JavaScript in your browser."))
    before = f'<p id="notice" role="status">{escape(notice)}</p>\n' if notice else ""
    body = (
        f'{before}<div id="picture" aria-busy="true">{_shadow(picture, theme) if picture else _SKELETON}</div>\n'
        f'<div id="live" class="coming" inert></div>\n'
        f"{_signed_in(words, signed_in) if signed_in else ''}{_room(words) if has_rooms else ''}"
        f"<noscript><main class=plain><p>{no_script}</p></main></noscript>"
    )
    return _page(words, title, theme, body, head)


def home_page(*, words: Words, theme: str | None, body: str, script: str, signed_in: str | None) -> str:
    """The home page around its body; the other arguments as for `shell_page`."""
    chosen = f' data-theme="{theme}"' if theme else ""
    inner = (
        f'<div class="host"{chosen}><style>{stylesheet()}</style><div class="page home">{body}</div></div>\n'
        f"{_signed_in(words, signed_in) if signed_in else ''}"
    )
    return _page(words, "Cadran", theme, inner, f'<script type="module" src="{script}"></script>\n')


def _signed_in(words: Words, name: str) -> str:
    """Who is signed in, where to see to it, and the way out."""
    account = f'<a href="/account?lang={words.language}">{escape(name)}</a>'
    return (
        f'<footer id="who">{account}<form method="post" action="/sign-out"><button>{escape(words("Sign out"))}</button>'
        f"</form></footer>\n"
    )


def _room(words: Words) -> str:
    """Where a presenter opens a room, and its code once it is open."""
    end, show, here = (
        f'<button type="button" data-room="{act}">{escape(text)}</button>'
        for act, text in (
            ("end", words("Close the room")), ("show", words("Go on presenting")), ("here", words("Show this page")),
        )
    )  # fmt: skip
    return (
        f'<aside id="room" aria-label="{escape(words("Room"))}" hidden><p class="wrong" role="alert" hidden></p>'
        f'<button type="button" class="begin" data-room="open">{escape(words("Present"))}</button>'
        f'<details hidden><summary><span class="spelt"></span> · <span class="count"></span></summary><div class="card">'
        f'<p>{escape(words("Follow on your phone:"))} <strong class="entry"></strong></p><div class="picture" role="img"></div>'
        f'<strong class="code"></strong><p class="count" role="status"></p><p class="quiet alone"></p>'
        f'<p class="paused" hidden>{escape(words("Paused: this page is not presented now."))} {show}</p>'
        f'<p class="elsewhere" hidden>{escape(words("The room follows another page of yours."))} {here}</p>'
        f"{end}</div></details></aside>\n"
    )


def plain_page(words: Words, title: str, paragraphs: list[str], links: dict[str, str], onward: str = "") -> str:
    """A page that says something went wrong and where to go: sentences, then links (address -> text). With `onward`, a
    browser goes there by itself."""
    said = "".join(f"<p>{escape(each)}</p>" for each in paragraphs)
    listed = "".join(f'<li><a href="{escape(to)}">{escape(text)}</a></li>' for to, text in links.items())
    body = f"<main class=plain><h1>{escape(title)}</h1>{said}<ul>{listed}</ul></main>"
    head = f'<meta http-equiv="refresh" content="0;url={escape(onward)}">\n' if onward else ""
    return _page(words, f"{title} · Cadran", None, body, head)


def form_page(
    words: Words,
    title: str,
    paragraphs: list[str],
    form: str,
    said: str,
    after: list[str],
    is_good: bool,
    switch: tuple[str, str, str],
) -> str:
    """A page with a form.

    Args:
        words: The reader's words.
        title: What it is for.
        paragraphs: What stands before the form.
        form: Its markup.
        said: What became of the last one, if anything.
        after: What stands after it.
        is_good: Whether that went well.
        switch: Address of the same page in another language, that language, and its name.
    """
    to, language, name = switch
    role = "status" if is_good else "alert"
    told = f'<p class="said" role="{role}">{escape(said)}</p>' if said else ""
    before, behind = ("".join(f"<p>{escape(each)}</p>" for each in each_of) for each_of in (paragraphs, after))
    other = f'<p><a href="{escape(to)}" lang="{language}" hreflang="{language}">{name}</a></p>'
    body = f"<main class=plain><h1>{escape(title)}</h1>{before}{told}{form}{behind}{other}</main>"
    return _page(words, f"{title} · Cadran", None, body)


def bare_page(words: Words, title: str, body: str, head: str = "") -> str:
    """A page of another kind, in the same look."""
    return _page(words, f"{title} · Cadran", None, body, head)


def _page(words: Words, title: str, theme: str | None, body: str, head: str = "") -> str:
    return _PAGE.substitute(
        language=words.language,
        theme=f' data-cadran-theme="{theme}"' if theme else "",
        scheme=theme or "light dark",
        title=escape(title),
        icon=_ICON,
        style=f"{chrome_style()}body{{font:15px/1.5 {FONT}}}{_STYLE}",
        reload=escape(words("Reload")),
        head=head,
        body=body,
    )


def _shadow(picture: str, theme: str | None) -> str:
    """The picture in a shadow root, as the live page stands in one: the same style gives the same look."""
    chosen = f' data-theme="{theme}"' if theme else ""
    return f'<div{chosen}><template shadowrootmode="open">{picture}</template></div>'


def _as_json(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("</", "<\\/").replace("<!--", "<\\u0021--")
