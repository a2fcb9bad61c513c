"""Starts the tap for the tests: a process that has imported it, and a child of that for every run.

Importing the tap takes longer than most runs do. A child is what the console script makes: with arguments, environment,
folder, streams and signals of its own it runs `TapBill.cli()`, and it ends as Python ends, except that it does not take
its modules apart, which would take longer than most runs. Only what Python reads when it starts (`PYTHON...`, the
locale) and whether coverage is measured is that of the tests.

Over the socket whose number is the only argument come four open files for every run: what to run, as JSON, its stdout
and stderr, and a socket on which the child's process ID and then its exit code are told. The process ends with it.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import socket
import sys
import threading
import time
from functools import cache
from importlib import metadata
from pathlib import Path

import coverage


def child(control):
    """Return what a child is to do, in that child; None in this process, at its end."""
    while True:
        more, files, *_ = socket.recv_fds(control, 1, 4)
        if not more:
            return None
        if os.fork() == 0:
            control.close()
            return watched(*files)
        for file in files:
            os.close(file)


def watched(order, stdout, stderr, line):
    """Return what to do, in a child of this process; this process waits for it and tells how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if process := os.fork():
        with socket.socket(fileno=line) as told:
            told.sendall(b"%d\n" % process)
            _, status = os.waitpid(process, 0)
            told.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    os.close(line)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), stdout, stderr)):
        os.dup2(file, number)
        os.close(file)
    with os.fdopen(order, encoding="utf-8") as file:
        run = json.load(file)
    os.chdir(run["folder"])
    os.environ.clear()
    os.environ.update(run["environment"])
    time.tzset()
    sys.argv = run["command"]
    return run


def end(code):
    """End as Python does: threads first, then what was registered for the end, then what is still to be written."""
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def exit_code(program):
    """Return the exit code with which Python would end after this."""
    try:
        program()
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    except BaseException:  # noqa: BLE001 - as Python does, whatever it is
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def main():
    control = socket.socket(fileno=int(sys.argv[1]))
    sys.path[0] = str(Path(sys.executable).parent)  # as if the console script were running

    # What is imported here is imported once, and it starts no thread, so that a child has all there is.
    from tap_bill.api import requester  # noqa: PLC0415
    from tap_bill.resources import RESOURCES  # noqa: PLC0415
    from tap_bill.singer.streams import BillStream  # noqa: PLC0415
    from tap_bill.tap import TapBill  # noqa: PLC0415

    # So are files that stay as they are: schemas, and what says which versions are installed.
    schemas = vars(BillStream)["_schema_file"].schema_source
    for resource in RESOURCES:
        for name in (resource.name, *(lines.name for lines in resource.lines)):
            schemas.get_schema(name)
    metadata.version = cache(metadata.version)

    if measuring := coverage.Coverage.current():
        measuring.save()  # what importing runs, once

    gc.freeze()  # what all children share is not looked through, and so copied, in each of them
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if run := child(control):
        if run["longest_pause"] is not None:
            requester.LONGEST_PAUSE = run["longest_pause"]
        exec(run["patch"], {"TapBill": TapBill})
        end(exit_code(TapBill.cli))


if __name__ == "__main__":
    main()
