"""A read that is stopped loses nothing, does not look finished, and is not begun again from the start."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import threading

import pytest
import runs

from bill_emulator import Company, Emulator

BILLS = 600
PAGE = 10


class Brake:
    """Lets the emulator answer only so many list requests, then holds every later one until it is released."""

    def __init__(self, allowed):
        self.reached = threading.Event()
        self.released = threading.Event()
        self.set(allowed)

    def set(self, allowed):
        self.allowed = allowed
        self.reached.clear()
        self.released.clear()

    def layer(self, application):
        async def braked(scope, receive, send):
            if scope["type"] == "http" and scope["path"].endswith("/v3/bills"):
                self.allowed -= 1
                if self.allowed < 0:
                    self.reached.set()
                    await asyncio.to_thread(self.released.wait, runs.PATIENCE)
            await application(scope, receive, send)

        return braked


class Pipeline:
    """A tap whose output is kept as a target would keep it, run until something stops it."""

    def __init__(self, folder, config, catalog):
        self.folder = folder
        self.arguments = [runs.TAP, "--config", self.file("config", config), "--catalog", self.file("catalog", catalog)]
        self.table = {}
        self.lines = {}
        self.state = None
        self.written = 0

    def file(self, name, content):
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def run(self, stop=None):
        """Run the tap; `stop(process)` is called in the middle. Returns the exit code and the log."""
        arguments = list(self.arguments)
        if self.state is not None:
            arguments += ["--state", self.file("state", self.state)]
        process = subprocess.Popen(
            arguments, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        stopper = threading.Thread(target=stop, args=(process,)) if stop else None
        if stopper:
            stopper.start()
        output, log = process.communicate(timeout=runs.PATIENCE)
        if stopper:
            stopper.join()
        self.load(output, torn=process.returncode == -signal.SIGKILL)
        return process.returncode, log

    def load(self, output, *, torn):
        *whole, last = output.split("\n")
        assert torn or last == "", "a line of output was torn"
        for line in whole:
            message = json.loads(line)
            if message["type"] == "RECORD":
                self.written += 1
                record = message["record"]
                if message["stream"] == "bills":
                    self.table[record["id"]] = record
                else:
                    self.lines[record["billId"], record["id"]] = record
            elif message["type"] == "STATE":
                self.state = message["value"]


@pytest.fixture
def big():
    return Company(seed=3, bills=BILLS)


def pipeline(emulator, tmp_path, catalog):
    config = {**emulator.credentials, "api_url": emulator.url, "page_size": PAGE, "summary_file": "told.json"}
    return Pipeline(tmp_path, config, catalog({"bills", "bill_line_items"}))


def after(brake, act):
    """Act on the process once the brake holds it; then let the server go."""

    def stop(process):
        assert brake.reached.wait(runs.PATIENCE)
        act(process)
        process.wait(runs.PATIENCE)
        brake.released.set()

    return stop


def complete(rows, company):
    truth = {row["id"]: row["updatedTime"] for row in company.rows("bills")}
    return {id_: row["updatedTime"] for id_, row in rows.items()} == truth


def test_eight_kills_lose_nothing_and_cost_little(tmp_path, catalog, big):
    pages = BILLS // PAGE
    brake = Brake(allowed=0)
    with Emulator(company=big, layers=[brake.layer]) as emulator:
        pipe = pipeline(emulator, tmp_path, catalog)
        for _ in range(8):
            brake.set(9)
            (tmp_path / "told.json").write_text("of an earlier run", encoding="utf-8")
            code, _ = pipe.run(after(brake, lambda process: process.kill()))
            assert code == -signal.SIGKILL
            assert not (tmp_path / "told.json").exists()
        brake.set(10_000)
        code, log = pipe.run()
        assert code == 0, log
        asked = sum(request.path.endswith("/v3/bills") for request in emulator.requests)
    assert complete(pipe.table, big)
    assert len(pipe.lines) == sum(len(row["billLineItems"]) for row in big.rows("bills"))
    # About twice (113 to 130 seen): a kill costs the eight pages that may wait or be under way, and the ranges that
    # are divided anew begin with pages that are not full.
    assert pages < asked <= 2.5 * pages


def test_ranges_that_were_written_are_not_asked_for_again(tmp_path, catalog, big):
    brake = Brake(allowed=30)
    with Emulator(company=big, layers=[brake.layer]) as emulator:
        pipe = pipeline(emulator, tmp_path, catalog)
        pipe.run(after(brake, lambda process: process.kill()))
        (entry,) = pipe.state["bookmarks"]["bills"]["partitions"]
        ranges = entry["pass"]["ranges"]
        before = len(emulator.requests)
        brake.set(10_000)
        code, log = pipe.run()
        assert code == 0, log
        asked = [
            request.query.get("filters", "")
            for request in emulator.requests[before:]
            if request.path.endswith("/v3/bills") and request.query["sort"] == "createdTime:asc"
        ]
    assert len(ranges) > 1
    for filters in asked:
        low, high = (term.partition(':"')[2].strip('"') for term in filters.split(","))
        assert any(begin <= low < high <= end for begin, end in ranges), (filters, ranges)
    assert complete(pipe.table, big)
    assert "pass" not in pipe.state["bookmarks"]["bills"]["partitions"][0]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_run_between_two_pages(tmp_path, catalog, sent, code):
    brake, big = Brake(allowed=10), Company(seed=3, bills=200)
    with Emulator(company=big, layers=[brake.layer]) as emulator:
        pipe = pipeline(emulator, tmp_path, catalog)
        exit_code, log = pipe.run(after(brake, lambda process: process.send_signal(sent)))
        assert exit_code == code
        assert f"Stopped by {sent.name}; the next run resumes here." in log
        assert "Traceback" not in log
        assert 0 < len(pipe.table) < 200
        (told,) = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))["organizations"]
        assert (told["complete"], told["errors"]) == (False, ["It was not read to the end."])
        brake.set(10_000)
        exit_code, log = pipe.run()
        assert exit_code == 0, log
    assert complete(pipe.table, big)
    assert pipe.written < 1.5 * (200 + len(pipe.lines))


def test_a_signal_during_the_sign_in_ends_the_run(tmp_path, catalog, company):
    reached, released = threading.Event(), threading.Event()

    def layer(application):
        async def held(scope, receive, send):
            if scope["type"] == "http":
                reached.set()
                await asyncio.to_thread(released.wait, runs.PATIENCE)
            await application(scope, receive, send)

        return held

    def stop(process):
        assert reached.wait(runs.PATIENCE)
        process.terminate()
        process.wait(runs.PATIENCE)
        released.set()

    with Emulator(company=company, layers=[layer]) as emulator:
        pipe = pipeline(emulator, tmp_path, catalog)
        exit_code, log = pipe.run(stop)
    assert exit_code == 143
    assert pipe.table == {}
    assert "Traceback" not in log


def test_a_target_that_goes_away_is_told_in_one_line(tmp_path, catalog, big):
    with Emulator(company=big) as emulator:
        pipe = pipeline(emulator, tmp_path, catalog)
        with subprocess.Popen(
            pipe.arguments, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            process.stdout.close()
            log = process.stderr.read()
        assert process.returncode == 1
    errors = [line for line in log.splitlines() if "ERROR" in line]
    assert len(errors) == 1, log
    assert "The target stopped reading; see its own messages, then run again." in errors[0]
    assert "Traceback" not in log
    assert "BrokenPipe" not in log
