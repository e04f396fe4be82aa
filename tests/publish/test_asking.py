"""What a browser shows for who asks, and to whom it shows it."""

import pytest
from starlette.datastructures import Headers
from starlette.responses import Response

from cadran.publish.asking import drop_token, keep_token, token_of


@pytest.mark.parametrize(("is_secure", "called"), [(True, "__Host-cadran-way"), (False, "cadran-way")])
def test_a_token_is_shown_to_this_site_alone_and_to_no_script(is_secure, called):
    answer = Response()
    keep_token(answer, "abc", is_secure, 60, "cadran-way")
    said = answer.headers["set-cookie"]

    assert said.startswith(f"{called}=abc; HttpOnly; Max-Age=60; Path=/; SameSite=lax")
    assert said.endswith("; Secure") is is_secure
    assert "domain" not in said.lower()  # a browser refuses __Host- with one
    drop_token(answer, is_secure, "cadran-way")
    assert answer.headers.getlist("set-cookie")[1].startswith(f'{called}=""; ')


def test_over_https_a_cookie_that_another_host_may_set_is_not_looked_at():
    planted = Headers({"cookie": "cadran-way=planted; __Host-cadran-way=own"})

    assert token_of(planted, True, "cadran-way") == "own"
    assert token_of(Headers({"cookie": "cadran-way=planted"}), True, "cadran-way") == ""
    assert token_of(Headers({"cookie": "=;;"}), True, "cadran-way") == ""
