"""How the pages are served may stand in a file."""

import inspect

import pytest

from cadran.cli_serve import serve
from cadran.publish.settings import read_settings
from cadran.tables.problems import Faults
from cadran.text import words_for

WHOLE = """
[serve]
book = "books/ours"
host = "0.0.0.0"
port = 8443
sign_in = true
surveys_only = false
address = "https://cadran.example.com"
certificate = "cert.pem"
key = "/etc/key.pem"
proxy = ["10.0.0.7"]
header = "X-Remote-User"
known = "known.txt"
log = "log.jsonl"
metrics = 9100
memory = 2048
ballots = "postgresql://x"
provider = "https://login.example.com"
client_id = "cadran"
client_secret = "secret.txt"
provider_name = "Acme"
scope = ["groups"]
groups_claim = "roles"
name_claim = "upn"
accounts = true
hours = 8

[groups.north]
role = "manager"
regions = ["Nord"]
"""


def test_every_option_may_be_said_and_paths_are_from_the_file(tmp_path):
    file = tmp_path / "cadran.toml"
    file.write_text(WHOLE, "utf-8")
    told = read_settings(file)

    assert {"config", *told} == set(inspect.signature(serve).parameters)
    assert told["client_secret"] == str(tmp_path / "secret.txt")
    assert (told["book"], told["key"]) == (str(tmp_path / "books/ours"), "/etc/key.pem")
    assert (told["port"], told["sign_in"], told["proxy"]) == (8443, True, ["10.0.0.7"])


def test_all_that_is_wrong_is_told_with_its_key(tmp_path):
    file = tmp_path / "cadran.toml"
    file.write_text(
        '[serve]\nprot = 1\nport = 99999\nsign_in = "yes"\nproxy = "10.0.0.7"\n[server]\nport = 1\n', "utf-8"
    )
    with pytest.raises(Faults) as found:
        read_settings(file)

    told = found.value.told(words_for("en"))
    for said in (
        "serve.port: 99,999 is above 65,535", "serve.sign_in: \"yes\" is neither", "serve.proxy: \"10.0.0.7\" is no list",
        "serve.prot: This is no key of the table.\nDid you mean: port?", "server: This is no key",
    ):  # fmt: skip
        assert said.replace('"yes"', "yes").replace('"10.0.0.7"', "10.0.0.7") in told


def test_the_command_stands_above_the_environment_and_that_above_the_file(tmp_path, monkeypatch, run):
    seen = {}
    monkeypatch.setattr("cadran.publish.server.serve", lambda book, **how: seen.update(how, book=book))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cadran.toml").write_text('[serve]\nport = 1111\nhost = "localhost"\nlog = "log.jsonl"\n', "utf-8")
    monkeypatch.setenv("CADRAN_HOST", "::1")
    monkeypatch.setenv("CADRAN_PORT", "2222")

    assert run("serve", "--port", "3333")[0] == 0
    assert (seen["port"], seen["host"], (tmp_path / "log.jsonl").exists()) == (3333, "::1", True)
    (tmp_path / "other.toml").write_text("[serve]\nport = true\n", "utf-8")
    status, _, complaint = run("serve", "--config", "other.toml")
    assert (status, "serve.port" in complaint) == (1, True)
    status, _, complaint = run("serve", "--config", "gone.toml")
    assert (status, "gone.toml" in complaint) == (1, True)
