"""A provider is looked at when Cadran starts: what is wrong ends the start, what does not answer now may answer later."""

import os
from datetime import UTC, datetime

import pytest
from awaited import awaited
from certificate import certified
from provider import CLIENT, SECRET, pretending
from starlette.responses import JSONResponse, PlainTextResponse

from cadran.access.accounts import Accounts
from cadran.access.groups import Grant
from cadran.book.reader import Reader
from cadran.publish import openid
from cadran.publish.joining import join, read_secret
from cadran.publish.openid import OpenID
from cadran.publish.openid_terms import Client, Unreachable, check_issuer, check_metadata
from cadran.tables.problems import Problem

ISSUER = "https://login.example.com/realms/x"
TOLD = {
    "issuer": ISSUER,
    **{key: f"{ISSUER}/{key}" for key in ("authorization_endpoint", "token_endpoint", "jwks_uri")},
}


def now():
    return datetime.now(UTC)


@pytest.mark.parametrize(
    "issuer", [ISSUER, "https://login.example.com/", "http://127.0.0.1:8080", "http://localhost/a"]
)
def test_a_provider_is_reached_over_https_or_on_this_machine(issuer):
    check_issuer(issuer)


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example.com",
        "login.example.com",
        "https://",
        "https://a/?x=1",
        "https://a/#x",
        "ftp://a",
        "",
        "http://[x",
    ],
)
def test_what_is_no_address_of_a_provider_is_told(issuer):
    with pytest.raises(Problem, match="is no address of a provider over https"):
        check_issuer(issuer)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"issuer": ISSUER + "/"}, f"calls itself {ISSUER}/"),
        ({"issuer": None}, "calls itself –"),
        ({"token_endpoint": None}, "tells no token_endpoint"),
        ({"jwks_uri": 7}, "tells no jwks_uri"),
        ({"authorization_endpoint": "http://login.example.com/a"}, "tells no authorization_endpoint over https"),
        ({"userinfo_endpoint": "http://login.example.com/u"}, "tells no userinfo_endpoint over https"),
        ({"response_types_supported": ["token"]}, "response_types_supported has none of code"),
        ({"id_token_signing_alg_values_supported": ["none", "HS256"]}, "id_token_signing_alg_values_supported"),
        ({"code_challenge_methods_supported": ["plain"]}, "code_challenge_methods_supported has none of S256"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "token_endpoint_auth_methods_supported"),
        ({"response_types_supported": "code"}, "response_types_supported"),
    ],
)
def test_what_a_provider_lacks_is_told(change, said):
    check_metadata(TOLD, ISSUER)
    with pytest.raises(Problem, match=said):
        check_metadata(TOLD | change, ISSUER)


def asked(issuer):
    awaited(OpenID(Client(issuer, CLIENT, SECRET), now).check())


def test_a_provider_is_asked_what_it_is(monkeypatch):
    with pretending() as pretender:
        asked(pretender.issuer)
        with pytest.raises(Problem, match="calls itself"):
            asked(pretender.issuer.replace("127.0.0.1", "localhost"))
        path = "/.well-known/openid-configuration"
        for answer, said in (
            (PlainTextResponse("no", 404), "answers 404"), (PlainTextResponse("<html>"), "is no JSON"),
            (JSONResponse(["a"]), "is no JSON"), (PlainTextResponse("", 302, {"location": "/x"}), "answers 302"),
        ):  # fmt: skip
            pretender.instead[path] = answer
            with pytest.raises(Problem, match=said) as found:
                asked(pretender.issuer)
            assert not isinstance(found.value, Unreachable)
        for answer in (PlainTextResponse("no", 500), PlainTextResponse("no", 503), PlainTextResponse("no", 429)):
            pretender.instead[path] = answer
            with pytest.raises(Unreachable):
                asked(pretender.issuer)
        pretender.instead.clear()
        monkeypatch.setattr(openid, "PATIENCE", 0.3)
        pretender.hangs.add(path)
        with pytest.raises(Unreachable):
            asked(pretender.issuer)
    with pytest.raises(Unreachable):
        asked(pretender.issuer)  # nobody listens any more


def test_a_providers_own_authority_is_what_the_environment_names(tmp_path, monkeypatch):
    certificate, key = certified(tmp_path, "localhost")
    with pretending(certificate, key) as pretender:
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            asked(pretender.issuer)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        asked(pretender.issuer)


def test_a_secret_is_in_a_file_or_in_the_environment_and_nowhere_else(tmp_path, monkeypatch):
    file = tmp_path / "secret"
    file.write_text("of the file\n", "utf-8")
    assert read_secret(file) == "of the file"
    monkeypatch.setenv("CADRAN_CLIENT_SECRET", "of the environment")
    assert read_secret(None) == "of the environment"
    assert "CADRAN_CLIENT_SECRET" not in os.environ
    with pytest.raises(Problem, match="has to stand in one place"):
        read_secret(None)
    monkeypatch.setenv("CADRAN_CLIENT_SECRET", "of the environment")
    with pytest.raises(Problem, match="has to stand in one place"):
        read_secret(file)
    for held in ("", "  \n", "two\nlines"):
        file.write_text(held, "utf-8")
        with pytest.raises(Problem, match="holds no secret"):
            read_secret(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(Problem, match="cannot be read"):
        read_secret(file)
    with pytest.raises(Problem, match="cannot be read") as found:
        read_secret(tmp_path / "hunter2")
    assert "hunter2" not in str(found.value)


def test_a_provider_that_is_down_at_the_start_shuts_nobody_out(tmp_path):
    told, accounts = [], Accounts(tmp_path)
    client = Client("http://127.0.0.1:9", CLIENT, SECRET)
    made = join(client, None, {"a": Grant("analyst")}, "groups", None, accounts, now, told.append, None)

    assert [type(each) for each in told] == [Unreachable]
    assert made.name == "127.0.0.1"
    with pytest.raises(Problem, match="what the provider's groups may see"):
        join(client, None, {}, "groups", None, accounts, now, told.append, None)


@pytest.fixture
def start(small_company, tmp_path, monkeypatch, run):
    """`start(*options)`: the command, without serving; what it would serve with, and what it complained of."""
    seen = {}
    monkeypatch.setattr("cadran.publish.server.serve", lambda book, **how: seen.update(how))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_text(SECRET, "utf-8")

    def go(*options, groups='[groups.north]\nrole = "manager"\nregions = ["Nord"]\n'):
        (tmp_path / "cadran.toml").write_text(f'[serve]\nclient_secret = "secret.txt"\n{groups}', "utf-8")
        seen.clear()
        status, _, complaint = run("serve", "--book", small_company, *options)
        return status, seen, complaint

    yield go
    accounts = Accounts(small_company)
    accounts.path.unlink(missing_ok=True)


def test_what_is_said_of_a_provider_makes_the_entrance(start):
    with pretending() as pretender:
        options = (
            "--sign-in",
            "--provider",
            pretender.issuer,
            "--client-id",
            CLIENT,
            "--scope",
            "groups",
            "--hours",
            "1.5",
        )
        status, seen, _ = start(*options, "--name-claim", "upn", "--groups-claim", "roles", "--provider-name", "Acme")
        made = seen["entrance"].provider
        assert (status, made.name, made.openid.client.scopes) == (0, "Acme", ("email", "profile", "groups"))
        assert made.telling.grants == {"north": Grant("manager", frozenset({"Nord"}))}
        assert (made.telling.groups, made.telling.called) == ("roles", "upn")
        assert (made.accounts.lasts.total_seconds(), seen["entrance"].with_passwords) == (5400, False)
        assert start(*options, "--accounts")[1]["entrance"].with_passwords


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--provider", ISSUER], "It is not clear who signs readers in"),
        (["--sign-in", "--provider", ISSUER, "--header", "X-Remote-User"], "It is not clear who signs readers in"),
        (["--sign-in"], "It is not said at which provider"),
        (["--sign-in", "--provider", ISSUER], "It is not said what the provider calls Cadran"),
        (["--sign-in", "--provider", "login.example.com", "--client-id", "c"], "is no address of a provider"),
        (
            ["--sign-in", "--provider", ISSUER, "--client-id", "c", "--client-secret", "hunter2"],
            "What --client-secret names",
        ),
    ],
)
def test_what_does_not_go_together_ends_the_start(start, options, said):
    status, seen, complaint = start(*options)

    assert (status, seen, said in " ".join(complaint.split()), "hunter2" in complaint) == (1, {}, True, False)


def test_groups_that_mean_nothing_in_this_book_end_the_start(start):
    options = ("--sign-in", "--provider", ISSUER, "--client-id", "c")
    wrong = '[groups.north]\nrole = "manager"\nregions = ["Nrod"]\n'
    status, _, complaint = start(*options, groups=wrong)
    assert (status, "groups.north.regions: Nrod is unknown here" in " ".join(complaint.split())) == (1, True)
    status, _, complaint = start(*options, groups="")
    assert (status, "what the provider's groups may see here" in " ".join(complaint.split())) == (1, True)


def test_sessions_outlast_a_start_while_the_provider_is_down_and_no_change_of_its_terms(start, small_company):
    with pretending() as pretender:
        options = ["--sign-in", "--provider", pretender.issuer, "--client-id", CLIENT]
        guests = start(*options)[1]["entrance"].provider.guests
    token = guests.enter("u1", Reader("ana"), now(), None, "")
    status, _, complaint = start(*options)
    assert (status, "does not answer" in " ".join(complaint.split())) == (0, True)
    assert guests.accounts.session(token, now())
    start(*options, groups='[groups.north]\nrole = "manager"\nregions = ["Sud-Est"]\n')
    assert guests.accounts.session(token, now()) is None
