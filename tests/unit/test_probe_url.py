"""What an HTTP probe's URL asks for, and where redirects lead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.supervise.probes.url import Target, accepts, parse_url, redirected, wants_redirect


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://localhost:3000/health", Target("http", "localhost", 3000, "/health")),
        ("HTTP://LocalHost", Target("http", "localhost", 80, "/")),
        ("https://a.test/x?y=1#part", Target("https", "a.test", 443, "/x?y=1")),
        ("http://[::1]:8080", Target("http", "::1", 8080, "/")),
        ("http://a?b", Target("http", "a", 80, "/?b")),
        ("http://a/a b/é%20c", Target("http", "a", 80, "/a%20b/%C3%A9%20c")),
        ("http://bücher.test/", Target("http", "xn--bcher-kva.test", 80, "/")),
        ("http://u%40x:p@a/", Target("http", "a", 80, "/", credentials="u@x:p")),
        ("unix:///run/a.sock", Target("http", "localhost", 80, "/", socket="/run/a.sock")),
        ("unix:///run/a.sock:/h?x", Target("http", "localhost", 80, "/h?x", socket="/run/a.sock")),
        ("unix://a.sock:/h", Target("http", "localhost", 80, "/h", socket="/cwd/a.sock")),
        ("unix:/run/a.sock:/h", Target("http", "localhost", 80, "/h", socket="/run/a.sock")),
    ],
)
def test_a_url_says_where_to_ask_and_for_what(url, target):
    assert parse_url(url, "/cwd") == target


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("localhost:3000", "begin with http://"),
        ("ftp://a/", "begin with http://"),
        ("http:///health", "names no host"),
        ("http://a:99999/", "(?i)port"),
        ("http://a:0/", "port 0"),
        ("http://[::1/", "IPv6"),
        ("unix://", "names no socket"),
    ],
)
def test_a_url_that_cannot_be_asked_is_refused(url, reason):
    with pytest.raises(ValueError, match=reason):
        parse_url(url, "/cwd")


@given(st.text())
def test_any_text_is_a_target_or_a_value_error(text):
    for url in (text, f"http://a/{text}", f"http://{text}", f"unix://{text}"):
        try:
            target = parse_url(url, "/cwd")
        except ValueError:
            continue
        assert target.path.startswith("/")
        assert target.path.isascii()
        assert not set(target.path) & set(" \r\n\0")


def test_messages_leave_out_what_may_be_secret():
    assert str(parse_url("http://user:pw@a:81/x?token=1", "/")) == "http://a:81/x"
    assert str(parse_url("unix:///run/a.sock:/x?token=1", "/")) == "unix:///run/a.sock:/x"


HERE = parse_url("http://u:p@a.test:3000/one/two?x", "/")


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/login", "http://a.test:3000/login"),
        ("three", "http://a.test:3000/one/three"),
        ("?y", "http://a.test:3000/one/two"),
        ("http://A.TEST:3000/", "http://a.test:3000/"),
        ("https://a.test/", "https://a.test/"),
        ("//a.test:3000/x", "http://a.test:3000/x"),
    ],
)
def test_redirects_to_the_same_host_are_followed(location, leads_to):
    assert str(redirected(HERE, location)) == leads_to


@pytest.mark.parametrize(
    "location",
    [
        "http://b.test/",
        "//b.test",
        "https://a.test.b.test/",
        "ftp://a.test/",
        "unix:///run/x",
        "http://[",
    ],
)
def test_redirects_to_others_are_not(location):
    assert redirected(HERE, location) is None


def test_names_of_the_loopback_are_one_host():
    assert redirected(parse_url("http://localhost:1/", "/"), "http://127.0.0.1:1/x") is not None


def test_credentials_stay_where_they_were_given_for():
    assert redirected(HERE, "/x").credentials == "u:p"
    assert redirected(HERE, "http://a.test:3001/").credentials is None
    assert redirected(HERE, "https://a.test:3000/").credentials is None


def test_a_redirect_of_a_unix_socket_stays_on_it():
    here = parse_url("unix:///run/a.sock:/x", "/")
    assert str(redirected(here, "/y")) == "unix:///run/a.sock:/y"
    assert str(redirected(here, "http://localhost/y")) == "unix:///run/a.sock:/y"
    assert redirected(here, "https://localhost/y") is None
    assert redirected(here, "http://b.test/y") is None


@pytest.mark.parametrize(
    ("statuses", "status", "accepted", "redirect"),
    [
        (((200, 399),), 302, True, False),
        (((200, 399),), 404, False, False),
        (((200, 299), (404, 404)), 404, True, False),
        (((302, 302),), 302, True, True),
        (((200, 299), (300, 399)), 307, True, True),
    ],
)
def test_statuses_are_ranges(statuses, status, accepted, redirect):
    assert accepts(statuses, status) is accepted
    assert wants_redirect(statuses, status) is redirect
