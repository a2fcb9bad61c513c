"""The workflows run nothing that is not pinned, with no more rights than they need, on every Python that we promise."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
WORKFLOWS = {path.name: path.read_text(encoding="utf-8") for path in (PROJECT / ".github" / "workflows").glob("*.yml")}
STEP = re.compile(r"^ *(?:- )?uses: *(.*)$", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def jobs(name):
    return yaml.safe_load(WORKFLOWS[name])["jobs"]


def test_there_are_workflows():
    assert sorted(WORKFLOWS) == ["release.yml", "test.yml"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_action_is_pinned_by_its_commit_and_says_its_version(name):
    used = STEP.findall(WORKFLOWS[name])
    assert used
    assert [step for step in used if not PINNED.fullmatch(step)] == []


def test_an_action_has_one_version():
    used = {step for text in WORKFLOWS.values() for step in STEP.findall(text)}
    assert len({step.partition("@")[0] for step in used}) == len(used)


def test_jobs_may_read_at_most_and_one_may_publish():
    rights = {
        f"{name} {job}": settings.get("permissions", yaml.safe_load(text)["permissions"])
        for name, text in WORKFLOWS.items()
        for job, settings in jobs(name).items()
    }
    assert rights == {
        "test.yml test": {"contents": "read"},
        "test.yml build": {"contents": "read"},
        "release.yml build": {"contents": "read"},
        "release.yml publish": {"id-token": "write"},
    }


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_checkout_leaves_credentials_behind(name):
    steps = [step for job in jobs(name).values() for step in job["steps"]]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_every_promised_python_is_tested():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert jobs("test.yml")["test"]["strategy"]["matrix"]["python"] == promised
    assert project["requires-python"] == f">={promised[0]}"


@pytest.mark.parametrize("path", sorted(PROJECT.glob(".github/**/*.yml")), ids=lambda path: path.name)
def test_every_file_for_the_host_is_yaml(path):
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)
