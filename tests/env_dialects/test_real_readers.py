"""The models of other readers of ``.env`` files, against the real ones."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import honcho.environ
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sides import HERE as NODE_PACKAGES
from sides import install_concurrently

from devrun.config.env_dialect_readers import (
    Reading,
    Refusal,
    read_as_foreman,
    read_as_honcho,
    read_as_node_dotenv,
    read_as_node_env_file,
)

_NODE = """
const {parse} = require('dotenv'), {parseEnv} = require('util');
const read = {dotenv: parse, 'env-file': parseEnv}[process.argv[1]];
require('readline').createInterface({input: process.stdin}).on('line', (line) => {
  console.log(JSON.stringify({...read(JSON.parse(line))}));
});
"""
_RUBY = """
require "json"; require "foreman/env"; require "tempfile"
$stdout.sync = true
STDIN.each_line do |line|
  Tempfile.create("env") do |file|
    File.binwrite(file.path, JSON.parse(line))
    found = {}
    Foreman::Env.new(file.path).entries { |name, value| found[name] = value }
    puts JSON.generate(found)
  end
end
"""

# What matters to any of them, so that random texts are full of edge cases.
_PIECES = (
    *("A", "B", "x", "y z", "1", "export ", "export", "ü", "-", ".", "{", "}"),
    *("=", "=", "\n", "\n", "\nA=", '\nB="', "\nA='", ":", ": ", "\r\n", "\r"),
    *(" ", "  ", "\t", "#", " #", "'", '"', "`", "\\", "\\n", '\\"', "$B", "${B}"),
)
_TEXTS = st.lists(st.sampled_from(_PIECES), max_size=14).map("".join)
_MANY = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Peer:
    """A running program that reads texts: one line of JSON in, one out."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self.process = subprocess.Popen(
            words, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def read(self, text: str) -> dict[str, str]:
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(text), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate()


def _node(reader: str):
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        pytest.skip("the comparison with node's readers needs node and npm")
    install_concurrently()
    return Peer([node, "-e", _NODE, reader], NODE_PACKAGES)


@pytest.fixture(scope="module")
def dotenv():
    peer = _node("dotenv")
    yield peer
    peer.close()


@pytest.fixture(scope="module")
def env_file():
    node = shutil.which("node") or "node"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if not version.startswith("v20."):
        pytest.skip(f"the model of node --env-file is of node 20; this is {version.strip()}")
    peer = _node("env-file")
    yield peer
    peer.close()


@pytest.fixture(scope="module")
def foreman():
    ruby = shutil.which("ruby")
    if not ruby or not shutil.which("foreman"):
        pytest.skip("the comparison with foreman's reader needs foreman")
    peer = Peer([ruby, "-E", "UTF-8", "-e", _RUBY], NODE_PACKAGES)
    yield peer
    peer.close()


def values(reading: Reading) -> dict[str, str]:
    assert not isinstance(reading, Refusal)
    return {assignment.name: assignment.value for assignment in reading}


@given(_TEXTS)
@_MANY
def test_node_dotenv_reads_as_modelled(dotenv, text):
    assert dotenv.read(text) == values(read_as_node_dotenv(text))


@given(_TEXTS)
@_MANY
def test_node_env_file_reads_as_modelled(env_file, text):
    def of_interest(found: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in found.items() if name in {"A", "B"}}

    assert of_interest(env_file.read(text)) == of_interest(values(read_as_node_env_file(text)))


@given(_TEXTS)
@_MANY
def test_foreman_reads_as_modelled(foreman, text):
    assert foreman.read(text) == values(read_as_foreman(text))


@given(_TEXTS)
@_MANY
def test_honcho_reads_as_modelled(text):
    content = text.replace("\r\n", "\n").replace("\r", "\n")
    reading = read_as_honcho(text)
    if isinstance(reading, Refusal):
        with pytest.raises(ValueError, match=r"No (closing quotation|escaped character)"):
            honcho.environ.parse(content)
    else:
        assert honcho.environ.parse(content) == values(reading)
