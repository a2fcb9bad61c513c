"""The generated part of dbt_bill is what the schemas say."""

from __future__ import annotations

import dbt_staging


def test_generated_models_are_those_of_the_schemas():
    there = {path: path.read_text(encoding="utf-8") for path in dbt_staging.STAGING.iterdir()}
    assert there == dbt_staging.generated(), "run: python tests/dbt_staging.py"
