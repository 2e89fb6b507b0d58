"""Templates of the user's own take the place of the package's, wherever these are used."""

from __future__ import annotations

import pytest
import yaml
from exporting import export


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "app"
    (folder / "mine").mkdir(parents=True)
    (folder / "Procfile").write_text("web: sleep 60\nrelease: true\n")
    return folder


@pytest.mark.parametrize("place", ["", "kubernetes/"])
def test_what_is_included_can_be_replaced_too(project, place):
    (project / "mine/kubernetes").mkdir()
    path = project / f"mine/{place}environment.yaml.j2"
    path.write_text("          env: [{name: WHO, value: {{ process.name }}}]\n")
    export(project, "kubernetes", "k8s", "-t", "mine")
    for name, who in (("deployment-web", "web"), ("job-release", "release")):
        read = yaml.safe_load((project / f"k8s/{name}.yaml").read_text())
        container = read["spec"]["template"]["spec"]["containers"][0]
        assert container["env"] == [{"name": "WHO", "value": who}]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            '{% include "compose.yaml.j2" %}',
            "compose.yaml.j2: includes or calls itself without end",
        ),
        ('{% include "nowhere.j2" %}', "compose.yaml.j2: no template nowhere.j2"),
        (
            "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
            "compose.yaml.j2: includes or calls itself without end",
        ),
    ],
)
def test_a_template_that_leads_nowhere_is_said(project, template, message):
    (project / "mine/compose.yaml.j2").write_text(template)
    done = export(project, "compose", "out", "-t", "mine", code=2)
    assert done.stderr == f"devrun: --template: {message}\n"
    assert not (project / "out").exists()
