"""Every exported file is accepted by the program that it is for."""

from __future__ import annotations

import os
import plistlib
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml
from exporting import export, run
from hypothesis import given, settings
from hypothesis import strategies as st

from devrun.export import quoting
from devrun.export.formats import FORMATS

PROCFILE = """\
web: ./serve --port $PORT --name 'it''s' "100% of $HOME"
worker.mail: while :; do echo "$PS; # %i 100%"; sleep 60; done
clock_2: TZ=UTC ./serve
release: ./serve migrate
"""
DOTENV = "API_KEY=se-cr-et\nNODE_ENV=production\n"


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "My App"
    folder.mkdir()
    (folder / "Procfile").write_text(PROCFILE)
    (folder / ".env").write_text(DOTENV)
    program = folder / "serve"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    return folder


@pytest.mark.parametrize("secrets", [(), ("--include-secrets",)], ids=["without", "with"])
class TestAccepted:
    def test_by_systemd(self, project, secrets):
        more = ("-m", "web=2", "-u", "daemon", "-l", "/var/log", *secrets)
        export(project, "systemd", "deploy", *more)
        units = sorted((project / "deploy").glob("*.*[et]"))
        assert [unit.name for unit in units] == [
            "my-app-clock-2.service",
            "my-app-web@.service",
            "my-app-worker-mail.service",
            "my-app.target",
        ]
        assert run("systemd-analyze", "verify", "--man=no", *map(str, units)) == ""

    def test_by_systemd_for_a_user(self, project, secrets, tmp_path):
        export(project, "systemd-user", "deploy", *secrets)
        units = sorted(map(str, (project / "deploy").glob("*.*[et]")))
        env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
        assert run("systemd-analyze", "verify", "--user", "--man=no", *units, env=env) == ""

    def test_by_docker_compose(self, project, secrets):
        export(project, "compose", "deploy", "-m", "web=2", "--stop-signals", "web=INT", *secrets)
        text = run("docker-compose", "-f", "compose.yaml", "config", cwd=project / "deploy")
        read = yaml.safe_load(text)["services"]
        assert set(read) == {"web", "worker-mail", "clock-2"}
        assert read["web"]["command"][2].replace("$$", "$").startswith("exec ./serve --port $PORT")
        assert read["web"]["environment"] == {
            "API_KEY": "se-cr-et",
            "NODE_ENV": "production",
            "PORT": "5000",
        }
        assert (read["web"]["stop_signal"], read["web"]["stop_grace_period"]) == ("SIGINT", "10s")
        assert read["web"]["deploy"]["replicas"] == 2

    def test_by_kubernetes(self, project, secrets):
        export(project, "kubernetes", "k8s", "-m", "web=3", "--public", "NODE_ENV", *secrets)
        files = sorted(map(str, (project / "k8s").iterdir()))
        said = run(sys.executable, "-m", "kubernetes_validate", "--strict", *files)
        assert said.count("passed") == len(files) == (7 if secrets else 6)

    def test_as_property_lists(self, project, secrets):
        export(project, "launchd", "deploy", "-m", "web=2", "-u", "me", "-l", "logs", *secrets)
        lists = sorted((project / "deploy").glob("*.plist"))
        assert len(lists) == 4
        for path in lists:
            read = plistlib.loads(path.read_bytes())
            assert read["Label"] == path.stem
            assert read["KeepAlive"] is True
            assert read["WorkingDirectory"] == str(project)
            assert read["ExitTimeOut"] == 10

    def test_by_doctls_rules(self, project, secrets):
        """Those of DigitalOcean's reference for app specifications; there is no checker of it."""
        export(project, "app-platform", "-", "-m", "web=2", "--image", "ghcr.io/me/app:3")
        export(project, "app-platform", "deploy", "-m", "web=2", "--public", "NODE_ENV", *secrets)
        read = yaml.safe_load((project / "deploy/app.yaml").read_text())
        assert [service["name"] for service in read["services"]] == ["web"]
        assert read["services"][0]["http_port"] == 5000
        assert [worker["name"] for worker in read["workers"]] == ["worker-mail", "clock-2"]
        assert read["jobs"][0]["kind"] == "PRE_DEPLOY"
        api_key = next(entry for entry in read["envs"] if entry["key"] == "API_KEY")
        assert api_key["type"] == "SECRET"
        assert api_key.get("value") == ("se-cr-et" if secrets else None)


TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30)
LINE = st.text(
    st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]) | st.sampled_from(" ;#%'\"\\$\t"),
    min_size=1,
    max_size=30,
)


class TestQuoting:
    @given(TEXT)
    def test_yaml_reads_what_was_written(self, text):
        assert yaml.safe_load(quoting.yaml_scalar(text)) == text
        assert yaml.safe_load(f"a: {quoting.yaml_scalar([text, 1])}\n") == {"a": [text, 1]}

    @given(st.lists(LINE, min_size=1, max_size=4))
    def test_supervisord_reads_what_was_written(self, words):
        from supervisor.options import UnhosedConfigParser

        parser = UnhosedConfigParser()
        parser.expansions = {}
        written = quoting.supervisord_words(["/bin/sh", *words])
        parser.read_string(f"[program:x]\ncommand={written}\nautostart=true\n")
        assert shlex.split(parser.saneget("program:x", "command")) == ["/bin/sh", *words]

    @given(TEXT)
    def test_systemd_words_say_what_was_meant(self, text):
        """By systemd.syntax(7) and systemd.service(5), read in their order."""
        word = quoting.systemd_word(text)
        assert not re.search(r"[\x00-\x1f\x7f]", word)
        inner = word[1:-1].replace("%%", "%").replace("$$", "$")
        said = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
        assert text == re.sub(
            r"\\x[0-9a-f]{2}|\\.",
            lambda found: said.get(found[0]) or chr(int(found[0][-2:], 16)),
            inner,
        )
        assert word.replace("%%", "").count("%") == 0

    @settings(max_examples=30)
    @given(TEXT)
    def test_a_shell_reads_the_values_of_an_environment_file(self, text):
        text = text.replace("\r", "")
        script = f'A={quoting.environment_value(text)}\nprintf "%s|" "$A"'
        done = subprocess.run(["sh"], input=script.encode(), capture_output=True, check=True)
        assert done.stdout.decode() == text + "|"

    @given(st.text(st.characters(codec="utf-8", blacklist_categories=["Cc", "Cs"])))
    def test_property_lists_hold_any_text(self, text):
        text = text.replace("\ufffe", "").replace("\uffff", "")
        written = f"<plist><string>{quoting.xml_text(text)}</string></plist>"
        assert plistlib.loads(written.encode()) == text


class TestFiles:
    def test_no_value_of_an_env_file_is_written_unless_asked_for(self, project):
        for style in ("systemd", "launchd", "supervisord", "runit", "s6", "compose", "kubernetes"):
            export(project, style, f"out/{style}")
        export(project, "app-platform", "out/app-platform")
        for path in (project / "out").rglob("*"):
            assert path.is_dir() or "se-cr-et" not in path.read_text()

    def test_what_holds_secrets_is_for_the_owner_alone(self, project):
        styles = ("systemd", "launchd", "supervisord", "runit", "s6", "compose", "kubernetes")
        for style in (*styles, "app-platform"):
            export(project, style, f"out/{style}", "--include-secrets")
        holding = [
            path
            for path in (project / "out").rglob("*")
            if path.is_file() and "se-cr-et" in path.read_text()
        ]
        property_lists = [path for path in holding if path.suffix == ".plist"]
        assert (len(holding), len(property_lists)) == (10, 3)
        assert {path.stat().st_mode & 0o777 for path in holding} == {0o600}

    def test_an_export_replaces_its_own_files_and_removes_what_is_over(self, project):
        export(project, "s6", "deploy", "-m", "web=3")
        assert (project / "deploy/my-app-web-3/run").exists()
        done = export(project, "s6", "deploy", "-m", "web=1")
        assert not (project / "deploy/my-app-web-3").exists()
        assert (project / "deploy/my-app-web-1/run").exists()
        assert "removed deploy/my-app-web-3/run" in done.stdout

    def test_other_applications_stay(self, project):
        export(project, "systemd", "deploy", "-a", "my")
        export(project, "systemd", "deploy", "-a", "my-app")
        export(project, "systemd", "deploy", "-a", "my-app", "-m", "web=2")
        names = {path.name for path in (project / "deploy").iterdir()}
        assert {"my-web.service", "my.target", "my-app-web@.service"} <= names
        assert "my-app-web.service" not in names

    def test_a_file_that_no_export_made_is_in_the_way(self, project):
        (project / "compose.yaml").write_text("services: {}\n")
        done = export(project, "compose", ".", code=2)
        assert "is there already, and no export has made it" in done.stderr
        assert (project / "compose.yaml").read_text() == "services: {}\n"

    def test_own_templates_come_first(self, project):
        (project / "mine").mkdir()
        template = "# {{ mark }}\n{{ process.name }} {{ deployment.slug }} {{ line }}\n"
        (project / "mine/process.service.j2").write_text(template)
        done = export(project, "systemd", "-", "-t", "mine", "web")
        assert "\nweb my-app /bin/sh -c " in done.stdout
        assert "WantedBy=multi-user.target" in done.stdout

    @pytest.mark.parametrize("template", ["{{ nothing }}", "{% if %}", "{{ 1 / 0 }}"])
    def test_wrong_templates_are_said(self, project, template):
        (project / "mine").mkdir()
        (project / "mine/process.service.j2").write_text(template)
        done = export(project, "systemd", "deploy", "-t", "mine", code=2)
        assert done.stderr.count("\n") == 1
        assert "process.service.j2" in done.stderr
        assert not (project / "deploy").exists()

    def test_nothing_stands_in_a_unit_but_what_was_said(self, project):
        text = export(project, "systemd", "-", "-u", "app").stdout
        assert "KillMode=mixed" in text
        assert "KillMode=control-group" in text, "for a line that needs a shell"
        assert "User=app" in text
        assert f"EnvironmentFile={project}/.env" in text
        assert "PORT=5000 PS=web.1; exec ./serve --port $$PORT" in text
        assert "100%% of $$HOME" in text
        assert "Wants=my-app-web.service" in text

    def test_only_named_processes_are_exported(self, project):
        text = export(project, "compose", "-", "web").stdout
        assert "  web:\n" in text
        assert "worker" not in text

    def test_what_cannot_be_said_is_noted(self, project):
        said = export(
            project, "kubernetes", "-", "-m", "web=2", "--stop-signals", "web=QUIT"
        ).stderr
        assert "note: the end of one process does not stop the others" in said
        assert "note: web: Kubernetes sends the image's STOPSIGNAL, not SIGQUIT" in said
        assert "note: the Secret my-app is not written and has to hold: API_KEY, NODE_ENV" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["systmd", "x"], 'no format "systmd"; did you mean "systemd"?'),
        (["upstart", "x"], f'devrun: no format "upstart"; there are {", ".join(FORMATS)}\n'),
        ([], "export needs a format and a folder"),
        (["systemd"], "export needs a folder"),
        (["systemd", "x", "wob"], 'no process "wob" in Procfile; did you mean "web"?'),
        (["systemd", "x", "-t", "nowhere"], "--template nowhere: no such folder"),
        (["systemd", "x", "-u", "a b"], '--user "a b": is no name of a user'),
        (["compose", "x", "--image", "a b"], '--image "a b"'),
        (["systemd", "x", "--public", "NOPE"], '--public: "NOPE" is in none of the .env files'),
        (["systemd", "x", "-a", "..."], '--app "...": a name needs a letter or a digit'),
        (["systemd", "serve"], "cannot be written: file exists"),
        (["systemd", "x", "--bogus"], "no such option: --bogus"),
        (["systemd", "x", "-l", ""], '--log "": the name of a folder is missing'),
        (
            ["systemd", "x", "--stop-signals", "web=TERM,web=INT"],
            '--stop-signals "web=INT": a second signal for web; leave one out',
        ),
        (
            ["systemd", "x", "-m", "web=2", "--stop-signals", "web=TERM,web.2=INT"],
            '--stop-signals "web.2=INT": a second signal for web.2; leave one out',
        ),
    ],
)
def test_wrong_words_write_nothing(words, message, project):
    before = sorted(project.iterdir())
    done = export(project, *words, code=2)
    assert message in done.stderr
    assert sorted(project.iterdir()) == before


def test_processes_that_would_get_the_same_name_are_refused(project):
    (project / "Procfile").write_text("a.b: true\na_b: true\n")
    done = export(project, "s6", "deploy", code=2)
    assert 'processes "a.b" and "a_b" would both be called "a-b"' in done.stderr


def test_the_consumers_are_there():
    """A missing one would let its test fail in a way that is hard to read."""
    programs = ["systemd-analyze", "docker-compose", "runsvdir", "s6-svscan"]
    assert [name for name in programs if shutil.which(name) is None] == []
