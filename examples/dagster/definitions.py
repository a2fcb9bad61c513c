"""A Dagster partition for each key of BILL, and `meltano el` for the organizations of a key. See docs/scale.md."""

import json
import os
import re
import tempfile
import time
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen

import dagster as dg
import plan
import yaml

FILE = Path(os.environ.get("BILL_KEYS_FILE") or Path(__file__).with_name("keys.yaml"))
PROJECT = Path(os.environ.get("MELTANO_PROJECT_ROOT") or Path(__file__).parents[2])
PARTITIONS = dg.DynamicPartitionsDefinition(name="bill_keys")
TOLD = "bill/told"  # tag of a run whose failures the tap told: it has repeated its requests, so the next hour will do


def keys() -> dict[str, dict]:
    """Read the file anew: for each key its credentials, by the variables that hold them, and its organizations."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def organizations_of(key: str, names: list[str]) -> list[dict[str, str]]:
    """Return the tap's setting `organizations`, with the credentials that the environment holds."""
    found = []
    for name in names or keys()[key]["organizations"][: plan.AT_MOST]:
        own = {s: os.environ.get(v.format(organization=name)) for s, v in keys()[key]["credentials"].items()}
        if unset := [setting for setting, value in own.items() if not value]:
            raise dg.Failure(f"{key}: the variable that the file names for {unset[0]} of {name} is not set.")
        found.append({"organization_id": name, **own})
    return found


def run(key: str, organizations: list[dict[str, str]], summary: Path) -> tuple[int, str]:
    """Run Meltano (`el`; runs of `run` share files) and show its log; return exit code and last line with an error."""
    others = [(k["credentials"].values(), k["organizations"]) for k in keys().values()]
    hidden = {variable.format(organization=o) for variables, names in others for variable in variables for o in names}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"TAP_BILL_ORGANIZATIONS": json.dumps(organizations), "TAP_BILL_SUMMARY_FILE": str(summary)}
    secrets = [re.escape(value) for own in organizations for name, value in own.items() if name != "organization_id"]
    hide, error = re.compile("|".join(secrets) or "(?!)"), ""  # in case that a program prints what it must not
    command = ["meltano", "el", f"--state-id=tap-bill-to-target-postgres:{key}", "tap-bill", "target-postgres"]
    with Popen(command, cwd=PROJECT, env=environment, stdout=PIPE, stderr=STDOUT, text=True) as process:
        try:
            for line in process.stdout:
                print(shown := hide.sub("***", line.rstrip()), flush=True)
                error = shown if "error" in shown.lower() else error
        except BaseException:
            process.terminate()
            raise
    return process.returncode, error


@dg.asset(partitions_def=PARTITIONS, config_schema={"organizations": dg.Field([str], default_value=[])})
def bill(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The organizations of a key, in the warehouse; if none are configured, as many as an hour allows."""
    key, configured = context.partition_key, context.op_execution_context.op_config["organizations"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "summary.json")
        code, error = run(key, organizations_of(key, configured), file)
        summary = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"organizations": []}
    streams = {each["organization_id"]: each["streams"].items() for each in summary["organizations"]}
    rows = {name: {stream: n for stream, counts in of if (n := counts["written"])} for name, of in streams.items()}
    errors = [line for each in summary["organizations"] for line in each["errors"]]
    metadata = {"rows": rows, "errors": errors, "dagster/row_count": sum(sum(of.values()) for of in rows.values())}
    if told := errors and not summary["stopped"]:
        context.instance.add_run_tags(context.run_id, {TOLD: "true"})
    if told or code:
        raise dg.Failure(errors[0] if told else error or f"meltano ended with exit code {code}.", metadata=metadata)
    return dg.MaterializeResult(metadata=metadata)


job = dg.define_asset_job("read_bill", [bill], executor_def=dg.in_process_executor)


def past(instance: dg.DagsterInstance, key: str, organizations: list[str]) -> list[plan.Run]:
    """Return the newest runs of a key, oldest first."""
    runs = []
    for record in reversed(instance.get_run_records(dg.RunsFilter(tags={"dagster/partition": key}), limit=100)):
        config, began = record.dagster_run.run_config, record.create_timestamp.timestamp()
        batch = config.get("ops", {}).get("bill", {}).get("config", {}).get("organizations")
        ended = (record.end_time or began) if record.dagster_run.is_finished else None
        failed = record.dagster_run.is_failure and TOLD not in record.dagster_run.tags
        runs.append(plan.Run(batch or organizations[: plan.AT_MOST], began, ended, failed))
    return runs


@dg.sensor(job=job, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def due(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Ask for a run of each key that has organizations to read now."""
    wanted, known = keys(), context.instance.get_dynamic_partitions(PARTITIONS.name)
    new, gone = [key for key in wanted if key not in known], [key for key in known if key not in wanted]
    requests = []
    for key, entry in wanted.items():
        if batch := plan.due(entry["organizations"], past(context.instance, key, entry["organizations"]), time.time()):
            config = {"ops": {"bill": {"config": {"organizations": batch}}}}
            requests.append(dg.RunRequest(partition_key=key, run_config=config))
    changes = [PARTITIONS.build_add_request(new), PARTITIONS.build_delete_request(gone)]
    return dg.SensorResult(requests, dynamic_partitions_requests=changes)


defs = dg.Definitions(assets=[bill], jobs=[job], sensors=[due])
