"""What README.md and docs/ say of streams, settings, errors and files is what the project has."""

from __future__ import annotations

import json
import re

import pytest
import readme
import yaml
from readme import DOCS, PAGES, PROJECT, README

from tap_bill.api.errors import CODES
from tap_bill.resources import RESOURCES
from tap_bill.settings import NEEDED, OAUTH
from tap_bill.tap import TapBill

MOST_WORDS = 2000
LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|!?\[[^\]]*\]\([^)]*\))*\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
COSTLY = [resource.name for resource in RESOURCES if not resource.is_default]


def text_of(page):
    return page.read_text(encoding="utf-8")


def name_of(page):
    return str(page.relative_to(PROJECT))


def fenced(language, page=README):
    """The contents of a page's code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(page), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_generated_parts_are_those_of_the_code(page):
    assert text_of(page) == readme.regenerated(text_of(page)), "run: python tests/readme.py"


def test_the_definition_for_meltanohub_is_that_of_the_code():
    assert text_of(readme.HUB) == readme.hub(), "run: python tests/readme.py"


def test_every_generated_part_has_one_place():
    found = [match["name"] for page in PAGES for match in readme.BLOCK.finditer(text_of(page))]
    assert sorted(found) == sorted(readme.BLOCKS)


def test_the_readme_is_short():
    assert len(text_of(README).split()) <= MOST_WORDS


def test_the_streams_are_counted():
    lines = sum(len(resource.lines) for resource in RESOURCES)
    text = " ".join(text_of(README).split())
    assert f"{len(RESOURCES)} BILL resources as tables, and {lines} more tables" in text
    changes = text_of(PROJECT / "CHANGELOG.md")
    assert f"{len(RESOURCES)} are BILL resources and {lines} are tables of the lines" in changes
    assert f"**: {len(COSTLY)} streams, such as" in text
    text = " ".join(text_of(DOCS / "streams.md").split())
    assert f"{len(RESOURCES)} streams come from lists in BILL; {lines} more" in text


def test_every_code_that_the_tap_knows_is_explained():
    rows = re.findall(r"^\| `BDC.*?\|", text_of(DOCS / "errors.md"), re.MULTILINE)
    explained = {code for row in rows for code in re.findall(r"BDC_\d+", row)}
    assert {*CODES} - {"BDC_1120"} == explained


def project_of_the_readme():
    (text,) = fenced("yaml")
    return yaml.safe_load(text)


def project_of_this_repository():
    return yaml.safe_load(text_of(PROJECT / "meltano.yml"))


PROJECTS = pytest.mark.parametrize("project", [project_of_the_readme, project_of_this_repository])


@PROJECTS
def test_meltano_declares_every_setting(project):
    (extractor,) = project()["plugins"]["extractors"]
    declared = {
        setting["name"]: (setting.get("kind", "string"), setting.get("sensitive", False))
        for setting in extractor["settings"]
    }
    assert list(declared) == list(readme.SETTINGS)
    assert declared == {
        name: (readme.kind(setting), setting.schema.get("secret", False)) for name, setting in readme.SETTINGS.items()
    }


def test_meltano_knows_what_each_way_to_sign_in_needs():
    (extractor,) = project_of_this_repository()["plugins"]["extractors"]
    groups = [[*OAUTH, "organization_id"], [*NEEDED], ["spend_api_token"]]
    assert extractor["settings_group_validation"] == groups


@PROJECTS
def test_meltano_selects_everything_and_names_no_costly_stream(project):
    (extractor,) = project()["plugins"]["extractors"]
    assert extractor["select"] == ["*.*"]


@PROJECTS
def test_meltano_knows_what_the_tap_can_do(project):
    (extractor,) = project()["plugins"]["extractors"]
    assert {*extractor["capabilities"]} == {capability.value for capability in TapBill.capabilities}


def test_the_readme_and_this_repository_load_in_the_same_way():
    (ours,), (theirs,) = (
        project()["plugins"]["extractors"] for project in (project_of_this_repository, project_of_the_readme)
    )
    for key in ("namespace", "executable", "load_schema"):
        assert ours[key] == theirs[key]
    (ours,), (theirs,) = (
        project()["plugins"]["loaders"] for project in (project_of_this_repository, project_of_the_readme)
    )
    for key in ("namespace", "executable", "dialect", "pip_url"):
        assert ours[key] == theirs[key]
    values = {setting["name"]: setting["value"] for setting in theirs["settings"] if "value" in setting}
    schema = {"default_target_schema": "$MELTANO_EXTRACT__LOAD_SCHEMA"}
    assert values == schema | ours["config"]
    assert schema.items() <= {setting["name"]: setting.get("value") for setting in ours["settings"]}.items()


def test_the_variables_of_the_quick_start_are_declared():
    plugins = project_of_the_readme()["plugins"]
    declared = {
        f"{plugin['name'].replace('-', '_')}_{setting['name']}".upper()
        for plugin in plugins["extractors"] + plugins["loaders"]
        for setting in plugin["settings"]
    }
    (dotenv,) = fenced("dotenv")
    assert {*re.findall(r"^(\w+)=", dotenv, re.MULTILINE)} <= declared


def anchors(page):
    """What a page's headings are called in links, as GitHub makes it."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page",
    [*PROJECT.glob("*.md"), *DOCS.glob("*.md"), PROJECT / "benchmarks" / "README.md"],
    ids=name_of,
)
def test_links_lead_somewhere(page):
    for file, anchor in LINK.findall(text_of(page)):
        target = page.parent / file if file else page
        assert target.exists(), f"{page.name}: {file}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {file}#{anchor}"


def test_every_page_is_in_the_index():
    linked = {file for file, _ in LINK.findall(text_of(DOCS / "README.md"))}
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= linked


def test_the_demo_names_a_heading_of_the_readme():
    named = re.findall(r'see "(.+?)" in README\.md', text_of(PROJECT / "demo" / "__main__.py"))
    assert named
    assert {*named} <= {*re.findall(r"^#+ (.+)$", text_of(README), re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_nothing_names_this_machine(page):
    assert json.dumps(str(PROJECT))[1:-1] not in text_of(page)
