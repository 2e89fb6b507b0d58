"""How a configuration differs from what runs."""

from __future__ import annotations

from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from devrun.control.changes import Difference, differences, renamed
from devrun.model import Service

WEB = Service(0, "web", "node web", "/", env=(("A", "1"),))
DB = Service(1, "db", "postgres", "/")
ENVIRONMENTS = {"web": {"A": "1", "HOME": "/"}, "db": {"HOME": "/"}}


def changed(wanted, *, started=None, after=None):
    """Return what differs in the one service, as it is wanted."""
    before = {"web": {"A": "1"}} if started is None else started
    found = differences([WEB], [wanted], before, {"web": after or dict(wanted.env)})
    return dict(found.changed)


def test_the_same_is_no_difference():
    found = differences([WEB, DB], [WEB, DB], ENVIRONMENTS, ENVIRONMENTS)
    assert found == Difference()
    assert found.is_empty


def test_services_come_and_go_by_their_labels():
    new = replace(DB, name="new")
    found = differences([WEB, DB], [new, WEB], {}, {"web": {}, "new": {}})
    assert (found.added, found.removed) == (("new",), ("db",))
    assert not found.is_empty


def test_another_place_among_the_services_is_no_difference():
    found = differences([WEB], [replace(WEB, index=7)], {}, ENVIRONMENTS)
    assert found.is_empty


def test_what_is_other_is_named_by_the_key():
    assert changed(replace(WEB, command="node x", cwd="/srv", port=3)) == {
        "web": ("command", "cwd", "port")
    }


def test_words_are_the_command():
    assert changed(replace(WEB, argv=("node", "web"))) == {"web": ("command",)}
    assert changed(replace(WEB, argv=("a",), command="a")) == {"web": ("command",)}


def test_every_field_counts():
    """A field that is added to services one day is compared, too."""
    for field in fields(Service):
        other = replace(WEB, **{field.name: object()} if field.name != "env" else {"env": ()})
        if field.name not in ("index", "name"):
            assert changed(other), field.name


def test_variables_are_named_and_their_values_are_not():
    found = changed(WEB, after={"A": "2", "NEW": "secret"})
    assert found == {"web": ("env.A", "env.NEW")}


def test_what_was_never_started_has_no_environment_to_compare():
    assert changed(WEB, started={}, after={"A": "1", "NEW": "x"}) == {}
    assert changed(replace(WEB, env=(("A", "2"),)), started={}) == {"web": ("env.A",)}


TEXTS = st.dictionaries(st.sampled_from("ABCD"), st.sampled_from(["x", "secret", ""]))


@given(TEXTS, TEXTS)
def test_exactly_the_variables_that_differ_are_named(before, after):
    service = replace(WEB, env=())
    found = differences([service], [service], {"web": before}, {"web": after})
    names = {name for _, whats in found.changed for name in whats}
    assert names == {f"env.{n}" for n in "ABCD" if before.get(n) != after.get(n)}


def instances(*names: str) -> list[Service]:
    """Return instances of one service; those with a number in their name have that one."""
    found = []
    for index, name in enumerate(names):
        number = int(name.partition(".")[2] or 1)
        found.append(replace(WEB, index=index, name=name, process="web", number=number))
    return found


def test_the_first_of_several_instances_may_be_the_only_one_later_and_the_other_way_round():
    several, only = instances("web.1", "web.2"), instances("web")
    assert renamed(several, only) == {0: "web"}
    assert renamed(only, several) == {0: "web.1"}
    assert renamed(several, several) == renamed(only, only) == {}


def test_another_s_name_is_taken_from_nobody():
    present = [*instances("web.1"), replace(DB, name="web")]
    assert renamed(present, instances("web")) == {}


def test_commands_are_never_called_otherwise():
    assert renamed([WEB], [replace(WEB, name="api")]) == {}


def test_the_ports_of_others_are_no_difference():
    before, after = {"OVERMIND_PROCESS_db_PORT": "5000"}, {"OVERMIND_PROCESS_api_PORT": "5100"}
    assert changed(replace(WEB, env=WEB.env), started={"web": before}, after=after) == {}
