"""Strangers, and a provider that lies, who try to be let in as somebody. The same provider telling the truth lets people in."""

import hmac
import http.client
import json
import sqlite3
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc.jwk import RSAKey
from provider import CLIENT, LOGOUT, SECRET, dripping, pretending
from served import serving_readers
from starlette.responses import JSONResponse, PlainTextResponse
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from cadran.access.accounts import Accounts
from cadran.access.groups import Grant
from cadran.book.reader import Reader
from cadran.publish import gate, openid, provider
from cadran.publish.apps import App
from cadran.publish.joining import join
from cadran.publish.openid_terms import Client

WHOSE = App("whose", "Whose", Path(__file__).parent.parent / "publish" / "notebooks" / "page.py", is_page=True)
GRANTS = {
    "north": Grant("manager", frozenset({"Nord"})),
    "lille": Grant("manager", frozenset(), frozenset({"Lille"})),
    "all": Grant("manager"),
    "analysts": Grant("analyst"),
}
ANA = {"sub": "u1", "email": "ana@x.fr", "email_verified": True, "groups": ["staff", "north"]}
PASSWORD = "violet marble tractor seven"


class Clock:
    """The time, which a test may put forward."""

    ahead = 0.0

    def __call__(self):
        return datetime.fromtimestamp(time.time() + self.ahead, UTC)


class Browser:
    """Keeps cookies, and follows no redirect by itself."""

    def __init__(self, address):
        self.address, self.cookies = address, {}

    def ask(self, path, method="GET", body=None, **headers):
        place = urlsplit(path if path.startswith("http") else self.address + path)
        connection = http.client.HTTPConnection(place.netloc, timeout=30)
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        is_ours = place.netloc == urlsplit(self.address).netloc
        if is_ours and self.cookies:
            told["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, f"{place.path}?{place.query}" if place.query else place.path, body, told)
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        for each in answer.headers.get_all("set-cookie") or [] if is_ours else []:
            name, _, value = each.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        return answer

    def leave(self, to="/whose"):
        """To the provider: the address that brings one back."""
        away = self.ask(f"/sign-in/provider?{urlencode({'next': to, 'lang': 'en'})}")
        assert away.status == 303, away.text
        return self.ask(away.headers["location"]).headers["location"]

    def sign_in(self, to="/whose"):
        """To the provider and back."""
        return self.ask(self.leave(to))

    @property
    def is_in(self):
        return self.ask("/account").status == 200


@pytest.fixture
def pretender():
    with pretending() as made:
        made.claims = dict(ANA)
        yield made


@pytest.fixture
def accounts(tmp_path):
    return Accounts(tmp_path)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def complaints():
    return []


@pytest.fixture
def joined(pretender, accounts, clock, complaints):
    client = Client(pretender.issuer, CLIENT, SECRET)
    return join(client, "Acme", GRANTS, "groups", None, accounts, clock, complaints.append, None)


@pytest.fixture
def browser(small_company, accounts, joined, monkeypatch):
    """A browser on the site at which one signs in by the provider."""
    monkeypatch.setenv("CADRAN_BOOK", "")
    monkeypatch.setattr(gate, "WATCH", 0.2)
    with serving_readers(small_company, [WHOSE], accounts, joined, with_passwords=False) as address:
        yield Browser(address)


def test_somebody_of_a_group_signs_in_and_sees_what_it_grants(browser, accounts, pretender):
    assert "Sign in with Acme" in browser.ask("/sign-in?lang=en").text
    answer = browser.sign_in("/whose?lang=en")

    assert (answer.status, answer.headers["location"]) == (303, "/whose?lang=en")
    assert "You are signed in as ana@x.fr. You see Nord." in browser.ask("/account?lang=en").text
    assert browser.ask("/whose").status == 200
    [kept] = accounts.all()
    assert (kept.reader.role, kept.reader.regions, kept.issuer) == ("manager", {"Nord"}, pretender.issuer)
    said = answer.headers["set-cookie"].lower() + browser.ask("/sign-in/provider").headers["set-cookie"].lower()
    assert all(said.count(each) >= 2 for each in ("httponly", "samesite=lax", "path=/", "max-age="))


def test_what_is_sent_to_the_provider_binds_its_answer_to_the_browser(browser, joined):
    sent = [parse_qs(urlsplit(browser.ask("/sign-in/provider").headers["location"]).query) for _ in range(2)]

    assert sent[0]["code_challenge_method"] == ["S256"]
    assert sent[0]["response_type"] == ["code"]
    assert sent[0]["redirect_uri"] == [f"{browser.address}/sign-in/provider/back"]
    assert sent[0]["scope"] == ["openid email profile"]
    for each in ("state", "nonce", "code_challenge"):
        assert sent[0][each] != sent[1][each]
        assert len(sent[0][each][0]) >= 43
    joined.address = "https://cadran.example.com"
    sent = parse_qs(urlsplit(browser.ask("/sign-in/provider").headers["location"]).query)
    assert sent["redirect_uri"] == ["https://cadran.example.com/sign-in/provider/back"]


def by_hand(header, told, signed):
    """A token as no library would write it."""
    said = ".".join(urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in (header, told))
    return f"{said}.{urlsafe_b64encode(signed(said.encode())).decode().rstrip('=')}"


def unsigned(header, told):
    return by_hand({**header, "alg": "none"}, told, lambda _: b"")


LIES = {
    "of no nonce": {"claims": {"nonce": None}},
    "of another nonce": {"claims": {"nonce": "another"}},
    "of another provider": {"claims": {"iss": "https://evil.example"}},
    "to another": {"claims": {"aud": "other"}},
    "to several, of whom another is meant": {"claims": {"aud": [CLIENT, "other"], "azp": "other"}},
    "to several, of whom none is meant": {"claims": {"aud": [CLIENT, "other"]}},
    "to another by our leave": {"claims": {"aud": ["other"], "azp": CLIENT}},
    "of nobody": {"claims": {"sub": None}},
    "of yesterday": {"claims": {"iat": time.time() - 90_000, "exp": time.time() - 86_400}},
    "of tomorrow": {"claims": {"iat": time.time() + 86_400, "exp": time.time() + 90_000}},
    "not before tomorrow": {"claims": {"nbf": time.time() + 86_400}},
    "without end": {"claims": {"exp": None}},
    "of no time": {"claims": {"iat": None}},
    "until no number": {"claims": {"exp": "tomorrow"}},
    "of another access token": {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
    "signed by nobody": {"signing": unsigned},
    "of another key of the same name": {"key": RSAKey.generate_key(2048, {"kid": "one"})},
    "of a key it does not show": {"key": RSAKey.generate_key(2048, {"kid": "other"})},
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_not_the_providers_word_of_now_to_us_lets_nobody_in(browser, pretender, accounts, lie):
    for name, value in LIES[lie].items():
        setattr(pretender, name, pretender.claims | value if name == "claims" else value)
    pretender.shown = pretender.shown if "key" in LIES[lie] else [pretender.key]
    answer = browser.sign_in()

    assert (answer.status, browser.is_in, accounts.all()) == (403, False, [])
    assert "Traceback" not in answer.text


def test_the_public_key_is_no_shared_secret(browser, pretender):
    public = pretender.key.as_pem(private=False)
    pretender.signing = lambda header, told: by_hand(
        {**header, "alg": "HS256"}, told, lambda said: hmac.digest(public, said, "sha256")
    )

    assert browser.sign_in().status == 403
    assert not browser.is_in


def test_a_clock_may_be_a_minute_off_and_a_page_says_by_how_much_it_is(browser, clock):
    clock.ahead = openid.LEEWAY - 10 - 300  # the provider's tokens last 300 s
    assert browser.sign_in().status == 403
    clock.ahead = openid.LEEWAY - 10
    assert browser.sign_in().status == 303
    clock.ahead = -(openid.LEEWAY - 10)
    assert browser.sign_in().status == 303
    clock.ahead = 300 + openid.LEEWAY - 10
    assert browser.sign_in().status == 303
    for clock.ahead in (-3600, 3600):
        answer = browser.sign_in()
        assert answer.status == 403
        assert any(f"{n:,} s away" in answer.text for n in range(3598, 3603))


def test_who_did_not_leave_does_not_come_back(browser, accounts):
    """Somebody is made to follow the way back of an attacker, and would work in the attacker's name."""
    victim = Browser(browser.address)
    assert victim.ask(browser.leave()).status == 400
    assert not victim.is_in
    assert victim.leave()
    assert victim.ask(browser.leave()).status == 400
    assert accounts.all() == []


def test_the_way_back_is_open_once_and_not_for_long(browser, clock, pretender):
    way, kept = browser.leave(), dict(browser.cookies)
    assert browser.ask(way).status == 303
    browser.cookies = kept
    assert browser.ask(way).status == 400  # by us: the provider is not even asked
    way = browser.leave()
    clock.ahead = provider.AWAY + 1
    assert browser.ask(way).status == 400
    for bad in ("", "?state=x", "?code=x", "?state=x&code=y", "?state=%00&error=%3Cscript%3E"):
        answer = browser.ask(f"/sign-in/provider/back{bad}")
        assert (answer.status, "<script>" in answer.text) == (400, False)


def test_a_code_that_another_was_given_lets_nobody_in(browser, pretender):
    stolen = parse_qs(urlsplit(Browser(browser.address).leave()).query)["code"][0]
    own = urlsplit(browser.leave())
    told = parse_qs(own.query) | {"code": [stolen]}

    assert browser.ask(f"{own.path}?{urlencode(told, doseq=True)}").status == 403
    assert not browser.is_in


@pytest.mark.parametrize("named", [None, "https://evil.example", ""])
def test_an_answer_of_another_provider_is_refused(browser, named):
    way = urlsplit(browser.leave())
    told = {name: values[0] for name, values in parse_qs(way.query).items()} | {"iss": named}
    told = {name: value for name, value in told.items() if value is not None}

    assert browser.ask(f"{way.path}?{urlencode(told)}").status == 403
    assert not browser.is_in


def test_a_session_that_was_there_before_is_not_the_one_of_who_signs_in(browser):
    browser.cookies["cadran"] = "planted"
    browser.sign_in()

    assert browser.is_in
    assert browser.cookies["cadran"] != "planted"
    other = Browser(browser.address)
    other.cookies["cadran"] = "planted"
    assert not other.is_in


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a/b"]
)
def test_after_coming_back_one_is_sent_to_a_page_of_ours(browser, to):
    assert browser.sign_in(to).headers["location"] == "/"


def test_a_name_that_a_claim_tells_is_nobody_elses(browser, pretender, accounts):
    accounts.add(Reader("Ana@X.fr", "analyst"), PASSWORD, datetime.now(UTC))
    answer = browser.sign_in()
    assert (answer.status, browser.is_in) == (403, False)
    assert "ana@x.fr is the name of another account here" in answer.text

    accounts.remove("ana@x.fr")
    assert browser.sign_in().status == 303
    pretender.claims["sub"] = "u2"  # whom the provider now calls so
    stranger = Browser(browser.address)
    assert (stranger.sign_in().status, stranger.is_in, browser.is_in) == (403, False, True)
    assert accounts.sign_in("ana@x.fr", "", datetime.now(UTC)) is None
    assert accounts.named("ana@x.fr") is None  # a proxy that signs readers in speaks of accounts with a password


@pytest.mark.parametrize(
    ("claims", "name"),
    [({}, "ana@x.fr"), ({"email_verified": False}, "u1"), ({"email_verified": "true"}, "u1"), ({"email": None}, "u1"),
     ({"email": "ana @x", "email_verified": True}, None), ({"sub": "<b>", "email": None}, None)],
)  # fmt: skip
def test_an_address_that_nobody_verified_is_no_name(browser, pretender, accounts, claims, name):
    pretender.claims |= claims
    pretender.userinfo = {"sub": pretender.claims["sub"]}

    assert browser.sign_in().status == (303 if name else 403)
    assert [each.reader.id for each in accounts.all()] == ([name] if name else [])


def test_whom_no_group_lets_in_is_told_which_claim_is_looked_at_and_no_group(browser, pretender, accounts):
    assert browser.sign_in().status == 303
    pretender.claims["groups"] = ["staff"]
    answer = Browser(browser.address).sign_in()

    assert answer.status == 403
    assert "“groups”" in answer.text
    assert not any(each in answer.text for each in ("staff", "north", "analysts"))
    assert not browser.is_in  # nor does what began before go on


@pytest.mark.parametrize("groups", [{"north": True}, 7, None, [["north"]], "NORTH"])
def test_what_is_no_group_of_ours_grants_nothing(browser, pretender, groups):
    pretender.claims["groups"] = groups
    pretender.userinfo = {"sub": "u1"}

    assert browser.sign_in().status == 403


def test_several_groups_grant_together_what_each_does_and_two_roles_are_refused(browser, pretender, accounts):
    pretender.claims["groups"] = ["north", "lille"]
    assert browser.sign_in().status == 303
    assert (accounts.all()[0].reader.regions, accounts.all()[0].reader.teams) == ({"Nord"}, {"Lille"})
    pretender.claims["groups"] = ["north", "all"]
    assert browser.sign_in().status == 303
    assert not accounts.all()[0].reader.is_limited
    pretender.claims["groups"] = ["north", "analysts"]
    answer = browser.sign_in()
    assert (answer.status, "several roles here: analyst, manager" in answer.text) == (403, True)


def test_what_the_id_token_lacks_is_asked_for_and_believed_of_the_same_person_alone(browser, pretender):
    del pretender.claims["groups"]
    pretender.userinfo = {"sub": "u1", "groups": ["north"]}
    assert browser.sign_in().status == 303
    pretender.userinfo = {"sub": "u9", "groups": ["north"]}
    assert Browser(browser.address).sign_in().status == 403


def test_new_keys_are_looked_for_and_not_for_ever(browser, pretender):
    assert browser.sign_in().status == 303
    pretender.key = RSAKey.generate_key(2048, {"kid": "two"})
    pretender.shown = [*pretender.shown, pretender.key]
    assert browser.sign_in().status == 303
    assert pretender.asked.count("/keys") == 2
    pretender.key = RSAKey.generate_key(2048, {"kid": "unknown"})
    for _ in range(8):
        assert browser.sign_in().status == 403
    assert pretender.asked.count("/keys") <= 2 + openid.LOOKS[0]


def test_a_key_that_it_shows_no_longer_signs_nothing_soon(browser, pretender, clock):
    assert browser.sign_in().status == 303
    pretender.shown = [RSAKey.generate_key(2048, {"kid": "two"})]
    clock.ahead = openid.KEYS_FRESH + 1

    assert Browser(browser.address).sign_in().status == 403


@pytest.mark.parametrize(
    "keys", [{}, {"keys": []}, {"keys": "x"}, {"keys": [{}]}, {"keys": [7]}, {"keys": [{"kty": "RSA"}]}]
)
def test_keys_that_are_none_are_told_to_whoever_can_mend_it(browser, pretender, complaints, keys):
    pretender.instead = {"/keys": JSONResponse(keys)}

    assert browser.sign_in().status == 503
    assert "/keys" in str(complaints[-1])


ODD = (None, 7, -1, 1.5, True, "", "x", "\x00", "<b>", [], [1], [["x"]], {}, {"x": 1}, "é" * 3000)


def test_whatever_the_provider_claims_nothing_breaks(browser, pretender, joined, accounts):
    joined._addresses = provider.Buckets(1000, 1.0)
    for claim in ("iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "at_hash", "azp", "auth_time", "amr", "sid", "locale",
                  "groups", "email", "email_verified"):  # fmt: skip
        for odd in ODD:
            pretender.claims = ANA | {claim: odd}
            assert browser.sign_in().status in (303, 403), (claim, odd)
    pretender.claims = ANA
    for token in (None, 7, "", "x", "a.b", "a.b.c", "a.b.c.d", "é.é.é", {"x": 1}):
        pretender.instead = {"/token": JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": token})}
        assert browser.sign_in().status == 403, token
    for given in ([], "x", {"expires_in": "x"}, {"error": ["x"]}, {"error": "<b>"}):
        pretender.instead = {"/token": JSONResponse(given)}
        answer = browser.sign_in()
        assert (answer.status in (403, 503), "<b>" in answer.text) == (True, False), given
    assert {each.reader.role for each in accounts.all()} == {"manager"}


def test_who_was_removed_does_not_come_back_by_the_provider_until_admitted(browser, accounts):
    assert browser.sign_in().status == 303
    with opened(browser, "one") as socket:
        accounts.remove("ana@x.fr")
        with pytest.raises(ConnectionClosed):
            heard(socket, until="never")
    assert not browser.is_in
    assert browser.sign_in().status == 403
    accounts.admit("ana@x.fr")
    assert browser.sign_in().status == 303


def opened(browser, session):
    """A live page."""
    told = {"Cookie": f"cadran={browser.cookies['cadran']}"}
    place = f"ws://{urlsplit(browser.address).netloc}/live/whose/ws?session_id={session}&lang=en"
    return connect(place, origin=browser.address, additional_headers=told)


def heard(socket, until="completed-run"):
    told = []
    while not told or json.loads(told[-1])["op"] != until:
        told.append(socket.recv(20))
    return "".join(told)


def tell(browser, token):
    """The provider tells, of itself, that somebody has signed out."""
    return browser.ask("/sign-out/provider", "POST", urlencode({"logout_token": token}),
                       Content_Type="application/x-www-form-urlencoded").status  # fmt: skip


@pytest.mark.parametrize("whose", [{"sub": "u1"}, {"sid": "s1"}, {"sub": "u1", "sid": "s1"}])
def test_who_signs_out_at_the_provider_loses_open_pages_here(browser, pretender, whose):
    browser.sign_in()
    with opened(browser, "one") as socket:
        heard(socket)
        assert tell(Browser(browser.address), pretender.logout_token(**whose)) == 200
        with pytest.raises(ConnectionClosed):
            heard(socket, until="never")
    assert not browser.is_in


@pytest.mark.parametrize(
    "claims",
    [{}, {"sub": "u2"}, {"sid": "s2"}, {"sub": "u2", "sid": "s1"}, {"sub": "u1", "nonce": "n"}, {"sub": "u1", "aud": "other"},
     {"sub": "u1", "iss": "https://evil.example"}, {"sub": "u1", "exp": 1}, {"sub": "u1", "exp": None},
     {"sub": "u1", "events": {"x": {}}}, {"sub": "u1", "events": LOGOUT}, {"sub": "u1", "jti": None}, {"sid": ["s1"]}],
)  # fmt: skip
def test_nobody_is_signed_out_by_what_the_provider_does_not_say(browser, pretender, claims):
    browser.sign_in()
    tell(browser, pretender.logout_token(**claims))

    assert browser.is_in


def test_nobody_is_signed_out_by_what_is_not_signed_or_no_token(browser, pretender):
    browser.sign_in()
    pretender.signing = unsigned
    for token in (pretender.logout_token(sub="u1"), "", "a.b.c", "x" * 20_000):
        assert tell(browser, token) == 400
    pretender.signing = None
    pretender.key = RSAKey.generate_key(2048, {"kid": "one"})
    assert tell(browser, pretender.logout_token(sub="u1")) == 400
    assert browser.is_in


def test_a_way_back_is_no_way_to_sign_somebody_out(browser, pretender):
    """An ID token that leaks is no word that its owner has left."""
    browser.sign_in()

    assert tell(browser, pretender.token(sub="u1", nonce="n")) == 400
    assert browser.is_in


def test_signing_out_here_leads_out_of_the_provider(browser, pretender):
    browser.sign_in()
    answer = browser.ask("/sign-out?lang=en", "POST", "", Origin=browser.address)

    assert answer.status == 200
    assert f'content="0;url={pretender.issuer}/end?id_token_hint=' in answer.text
    assert not browser.is_in
    assert browser.ask("/sign-out", "POST", "", Origin="http://evil.example").status == 403


HOME = "/.well-known/openid-configuration"


@pytest.mark.parametrize("where", [HOME, "/token"])
def test_while_a_provider_hangs_everybody_else_is_answered(browser, pretender, clock, monkeypatch, where):
    monkeypatch.setattr(openid, "PATIENCE", 60.0)
    assert browser.sign_in().status == 303
    clock.ahead = openid.FRESH + 1
    strangers = [Browser(browser.address) for _ in range(8)]
    ways = ["/sign-in/provider" if where == HOME else each.leave() for each in strangers]
    pretender.asked.clear()
    pretender.hangs.add(where)
    with ThreadPoolExecutor(8) as many:
        waiting = [many.submit(each.ask, way) for each, way in zip(strangers, ways, strict=True)]
        for _ in range(2000):
            if where in pretender.asked:
                break
            time.sleep(0.01)
        assert browser.ask("/whose").status == 200
        assert not any(each.done() for each in waiting)
        pretender.hangs.clear()
        assert {each.result().status for each in waiting} == {303}


DOWN = {
    "hangs": {"hangs": {HOME}},
    "drips": {"instead": {HOME: dripping}},
    "is broken": {"instead": {HOME: PlainTextResponse("no", 500)}},
    "hangs on the code": {"hangs": {"/token"}},
    "drips on the code": {"instead": {"/token": dripping}},
    "is broken on the code": {"instead": {"/token": PlainTextResponse("no", 503)}},
    "hangs on its keys": {"hangs": {"/keys"}},
}


@pytest.mark.parametrize("how", DOWN)
def test_a_provider_that_does_not_answer_in_time_is_told_to_be_down(
    browser, pretender, clock, monkeypatch, complaints, how
):
    assert browser.sign_in().status == 303
    clock.ahead = openid.KEYS_FRESH + 1
    stranger = Browser(browser.address)
    way = stranger.leave() if "on" in how.split() else "/sign-in/provider"
    clock.ahead += openid.FRESH + 1
    for name, value in DOWN[how].items():
        setattr(pretender, name, value)
    with monkeypatch.context() as patch:
        patch.setattr(openid, "PATIENCE", 0.5)
        answer = stranger.ask(way)

    assert (answer.status, "Acme does not answer" in answer.text) == (503, True)
    assert browser.is_in
    assert complaints
    pretender.hangs, pretender.instead = set(), {}
    assert stranger.sign_in().status == 303


def test_a_secret_that_the_provider_does_not_take_is_told_to_whoever_can_mend_it(browser, pretender, complaints):
    pretender.instead = {"/token": JSONResponse({"error": "invalid_client"}, 401)}
    answer = browser.sign_in()

    assert (answer.status, SECRET in answer.text) == (503, False)
    assert "--client-id" in str(complaints[-1])


@pytest.mark.parametrize(("error", "status"), [("access_denied", 403), ("temporarily_unavailable", 503), ("<b>", 403)])
def test_who_turned_back_is_told_so_in_our_words(browser, error, status):
    way = urlsplit(browser.leave())
    told = {"state": parse_qs(way.query)["state"][0], "error": error, "error_description": "call 555"}
    answer = browser.ask(f"{way.path}?{urlencode(told)}")

    assert (answer.status, "555" in answer.text, "<b>" in answer.text) == (status, False, False)


def test_where_the_provider_signs_readers_in_no_password_does(browser, accounts):
    accounts.add(Reader("bob", "analyst"), PASSWORD, datetime.now(UTC))
    answer = browser.ask("/sign-in", "POST", urlencode({"name": "bob", "password": PASSWORD}), Origin=browser.address,
                         Content_Type="application/x-www-form-urlencoded")  # fmt: skip

    assert (answer.status, browser.is_in, "password" in answer.text) == (403, False, False)


def test_of_what_the_provider_gives_no_key_to_anything_is_kept(browser, accounts):
    browser.sign_in()
    run = sqlite3.connect(accounts.path)
    kept = "\n".join(run.iterdump())
    run.close()

    assert browser.cookies["cadran"] not in kept
    assert SECRET not in kept
    [hint] = [part for part in kept.split("'") if part.count(".") == 2 and part.startswith("ey")]
    assert (
        json.loads(urlsafe_b64decode(hint.split(".")[1] + "=="))["aud"] == CLIENT
    )  # whom it tells who somebody is: us
