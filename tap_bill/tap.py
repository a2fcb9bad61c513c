"""TapBill: settings, streams, and the command line."""

from __future__ import annotations

import json
import os
import typing as t
from functools import cached_property
from pathlib import Path
from signal import Signals

import click
from singer_sdk import Tap
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.tap_base import CliTestOptionValue

from tap_bill import settings
from tap_bill.api.client import SharedLimits
from tap_bill.api.errors import BillError, ConfigurationError, fault
from tap_bill.resources import RESOURCES
from tap_bill.run.check import examine
from tap_bill.run.logs import be_quiet
from tap_bill.run.organization import OrganizationRun
from tap_bill.run.report import forget
from tap_bill.run.runner import Several, read_one
from tap_bill.singer import catalog as catalogs
from tap_bill.singer import stream_maps as maps
from tap_bill.singer.audit import AuditStream
from tap_bill.singer.selection import Selection
from tap_bill.singer.streams import BillStream, stream_classes
from tap_bill.singer.writer import PageWriter, StateLines, output, say
from tap_bill.sync import state
from tap_bill.sync.context import RunContext
from tap_bill.verify.asking import MOST_REQUESTS
from tap_bill.verify.command import verify
from tap_bill.verify.report import how_to_attach

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from tap_bill.verify.report import Report


UNNAMED: t.Final = (
    "Not read, because Meltano's `select` does not name them: %s. Most of them take a request for each record of "
    "another stream. To read one, name it in `select`, for example %s.*"
)
"""What is logged where `*` selects streams that are read only on request."""

VERIFY_REQUESTS: t.Final = "tap_bill.verify_requests"
"""Where click keeps how many requests `--verify-api` may send."""

LEAST_REQUESTS: t.Final = 10
"""With fewer, hardly anything could be tried."""

PATIENCE: t.Final = 1.0
"""Seconds that an interrupted run waits for each request under way."""


class TapBill(Tap):
    """Reads a company's books from BILL (Bill.com): payables, receivables, classifications, users, Spend & Expense."""

    name = "tap-bill"
    config_jsonschema: t.ClassVar[dict[str, t.Any]] = settings.JSON_SCHEMA
    message_writer_class = PageWriter
    message_writer: PageWriter
    capabilities: t.ClassVar = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    signal = 0

    def __init__(
        self,
        *,
        parse_env_config: bool = False,
        catalog: t.Any = None,
        shared: SharedLimits | None = None,
        main: TapBill | None = None,
        **kwargs: t.Any,
    ) -> None:
        """Make the tap.

        Args:
            parse_env_config: whether environment variables are read, too.
            catalog: as JSON, or read already.
            shared: the limits that it shares with the taps of other organizations.
            main: the tap that made it for one of several organizations, and that gets the signals.
            kwargs: the SDK's.

        Raises:
            BillError: if the catalog cannot be read.
            ConfigurationError: if a setting cannot work.
            StateError: if the state is not this tap's.
        """
        self._shared, self._main = shared, main
        self.selection = Selection.of(os.environ)
        read = catalogs.read(catalog)
        unnamed = self.selection.leave_out(read) if self.selection and read else []
        if parse_env_config:
            kwargs["config"] = {**(kwargs.get("config") or {}), **self._from_environment()}
        super().__init__(catalog=read, **kwargs)
        if unnamed:
            self.logger.info(UNNAMED, ", ".join(unnamed), unnamed[0])

    @classmethod
    def _from_environment(cls) -> dict[str, t.Any]:
        """Return the settings of the environment."""
        cls.append_builtin_config(cls.config_jsonschema)
        try:
            return settings.from_environment(cls.config_jsonschema)
        except ValueError as error:
            raise ConfigurationError(str(error)) from None

    def setup_mapper(self) -> None:
        """Make the stream maps.

        Raises:
            ConfigurationError: if they cannot work.
        """
        self.mapper = maps.make(self.config, self.streams.values(), self.logger)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Tidy the settings and find every mistake before anything is sent."""
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        self._config = settings.tidy(self._config)
        mistakes = settings.mistakes(self._config, schema)
        if not raise_errors:
            return mistakes
        for name, meant in settings.unknown(self._config, schema).items():
            self.logger.warning(
                "Unknown setting %s%s", name, f"; did you mean {meant}?" if meant else " has no effect."
            )
            del self._config[name]
        if mistakes:
            raise ConfigurationError("\n".join(mistakes))
        current = settings.current_host(given := self._config["api_url"])
        if current != given:
            self.logger.warning("api_url %s is an older spelling; reading from %s, BILL's host today.", given, current)
            self._config["api_url"] = current
        if len(found := settings.organizations(self._config)) == 1:
            self._config = found[0]
        return []

    def for_organization(self, own: Mapping[str, t.Any], writer: PageWriter, shared: SharedLimits) -> TapBill:
        """Return a tap that reads one of several organizations, as this one would read it alone.

        Args:
            own: its settings, from `settings.organizations`.
            writer: where its messages go.
            shared: the limits that all of them share.
        """
        return type(self)(
            config=dict(own),
            catalog=self.input_catalog,
            state=state.of_organization(self.state, own["organization_id"]),
            validate_config=False,
            message_writer=writer,
            shared=shared,
            main=self,
        )

    @cached_property
    def state_writer(self) -> StateLines:
        """What writes the state whenever it changes."""
        return StateLines(self.message_writer)

    def load_state(self, state_: dict[str, t.Any]) -> None:
        """Take over the state of the last run.

        Raises:
            StateError: if another tap wrote it.
        """
        state.check(state_)
        super().load_state(state_)

    def discover_streams(self) -> Sequence[BillStream | AuditStream]:
        """Return every stream of the resource table, and the one that says which of them were read whole."""
        main = t.cast("Mapping[str, BillStream]", self._main.streams if self._main else {})
        streams = [cls(self, self.context, main.get(vars(cls)["name"])) for cls in self.stream_classes]
        return [*streams, AuditStream(self)]

    @cached_property
    def stream_classes(self) -> Sequence[type[BillStream]]:
        """The classes of the streams: the same for all organizations, because it takes time to make them."""
        return self._main.stream_classes if self._main else [*stream_classes(RESOURCES)]

    def run_discovery(self) -> str:
        """Write the catalog."""
        with output():
            return super().run_discovery()

    @cached_property
    def context(self) -> RunContext:
        """What the streams share; nothing is sent before it is used."""
        return RunContext(self.config, self._shared or SharedLimits(self.config), self._check)

    def organization_run(self) -> OrganizationRun:
        """Return the read of the one organization that is configured."""
        streams = t.cast("Mapping[str, BillStream | AuditStream]", self.streams)
        return OrganizationRun(
            self.context, streams, self.message_writer, begin=self._write_first_state, patience=self._patience
        )

    def _write_first_state(self) -> None:
        """Write the state that the run begins with, so that a target has it even if nothing more comes."""
        self._reset_state_progress_markers()
        if self.state:
            self.state_writer.write_state(self.state)

    def run(self) -> None:
        """Read everything that is selected, of every organization.

        Raises:
            BillError: if something could not be read, after all else was.
        """
        forget(summary_file := self.config.get("summary_file", ""))
        found = settings.organizations(self.config)
        if len(found) == 1:
            read_one(self.organization_run())
            return
        shared = SharedLimits(self.config)
        Several(
            found,
            lambda own, writer: self.for_organization(own, writer, shared).organization_run(),
            t.cast("Mapping[str, t.Any]", self.state),
            at_once=self.config["max_organizations_in_parallel"],
            summary_file=summary_file,
        ).read()

    # Signals

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Note the signal; the run ends between two pages, so that no line of output is cut."""
        del frame
        self.signal = signum
        if "context" not in vars(self) or not self.context.is_reading:
            self._check()

    def _check(self) -> None:
        """End an interrupted run with the exit code that a shell expects: a scheduler must not think it finished."""
        if signal := (self._main or self).signal:
            if not self._main:
                self.logger.warning("Stopped by %s; the next run resumes here.", Signals(signal).name)
            raise SystemExit(128 + signal)

    def _patience(self) -> float | None:
        """Return how long to wait for requests under way: not for long after a signal."""
        return PATIENCE if (self._main or self).signal else None

    # Command line

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        state: t.IO[str] | None = None,
        catalog: t.IO[str] | None = None,
    ) -> None:
        """Run the command line: sync, or describe the tap."""
        if about:
            with output():
                cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        config = config or _ConfigInput()
        tap = cls(
            config=config.config,
            parse_env_config=config.parse_env,
            state=_read_json(state, "--state"),
            catalog=_read_json(catalog, "--catalog"),
        )
        tap.run()

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        """Read the configuration files.

        Raises:
            ConfigurationError: if one is missing, or is not a JSON object.
        """
        for path in value:
            if path != "ENV":
                try:
                    readable = isinstance(json.loads(Path(path).read_text(encoding="utf-8")), dict)
                except OSError as error:
                    raise ConfigurationError(f"Cannot read the config file {path}: {error.strerror}.") from None
                except ValueError as error:
                    raise ConfigurationError(f"The config file {path} is not JSON: {error}.") from None
                if not readable:
                    raise ConfigurationError(f"The config file {path} must hold a JSON object with the settings.")
        return super().cb_config(ctx, param, value)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Return the command line, on which `--test` knows the catalog wherever it comes on the line."""
        be_quiet()
        command = super().get_singer_command()
        command.params += [
            click.Option(
                ["--verify-api"],
                is_flag=False,
                flag_value="table",
                type=click.Choice(["table", "json"]),
                help="Try on your BILL, read-only, what the tap assumes about it, and print a report without contents.",
                callback=cls.cb_verify,
                expose_value=False,
            ),
            click.Option(
                ["--verify-requests"],
                type=click.IntRange(min=LEAST_REQUESTS),
                default=MOST_REQUESTS,
                show_default=True,
                help="How many requests --verify-api may send for each organization, one after the other.",
                is_eager=True,
                expose_value=False,
                callback=lambda ctx, _, value: ctx.meta.update({VERIFY_REQUESTS: value}),
            ),
        ]
        for option in command.params:
            option.is_eager = option.is_eager or option.name == "catalog"
        return command

    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Say what these credentials may read, or with `--test=schema` write the schemas without asking BILL."""
        del param
        if value == CliTestOptionValue.Disabled.value:
            return
        tap = cls._of_command_line(ctx)
        if value == CliTestOptionValue.Schema.value:
            tap.write_schemas()
        else:
            tap.examine()
        ctx.exit()

    @classmethod
    def cb_verify(cls, ctx: click.Context, param: click.Option, value: str | None) -> None:
        """Try what the tap assumes about BILL, and print what was found."""
        del param
        if value:
            cls._of_command_line(ctx).verify(ctx.meta[VERIFY_REQUESTS], as_json=value == "json")
            ctx.exit()

    @classmethod
    def _of_command_line(cls, ctx: click.Context) -> TapBill:
        """Return the tap that the options before this one describe."""
        config: _ConfigInput = ctx.params.get("config", _ConfigInput())
        catalog = _read_json(ctx.params.get("catalog"), "--catalog")
        return cls(config=config.config, parse_env_config=config.parse_env, catalog=catalog)

    def examine(self) -> None:
        """Read one record of every selected stream of every organization, and print what can be read.

        Raises:
            BillError: lists all that is wrong.
        """
        say(self.examined)
        self._of_each(lambda run: examine(run, say), "--test")

    def verify(self, most: int, *, as_json: bool) -> None:
        """Try what the tap assumes about BILL at every organization, and print what was found.

        Args:
            most: requests for each organization.
            as_json: whether a program is to read it.

        Raises:
            BillError: names what the tap does not cope with, and what kept it from trying.
        """
        reports: list[Report] = []
        bad: dict[str, None] = {}

        def try_one(run: OrganizationRun) -> list[BillError]:
            report, problems = verify(run, most)
            reports.append(report)
            bad.update(dict.fromkeys(report.bad))
            for line in () if as_json else report.lines():
                say(line)
            return problems

        try:
            if not as_json:
                say(self.examined)
            self._of_each(try_one, "--verify-api")
        finally:
            if as_json:
                found = {"tap_bill": self.plugin_version, "reports": [report.as_json() for report in reports]}
                say(json.dumps(found, indent=2))
            (self.logger.info if as_json else say)(how_to_attach())
        if bad:
            raise BillError(f"BILL does not behave as tap-bill needs it: {', '.join(bad)}; see docs/assumptions.md.")

    def _of_each(self, look: Callable[[OrganizationRun], list[BillError]], option: str) -> None:
        """Look at every organization.

        Args:
            look: returns what is wrong with one.
            option: that asks for it, for messages.

        Raises:
            BillError: lists all that is wrong.
        """
        found = settings.organizations(self.config)
        shared = SharedLimits(self.config)
        wrong: list[str] = []
        if self.selection:
            for name, stream in self.streams.items():
                stream.selected = self.selection.selects(name)
        for own in found:
            try:
                tap = self if len(found) == 1 else self.for_organization(own, self.message_writer, shared)
                run = tap.organization_run()
                run.check_selection()
                with run.closing():
                    problems = look(run)
            except BillError as error:
                problems = [error]
            except Exception as error:  # noqa: BLE001 - a fault of ours
                problems = [fault(option, error)]
            whose = f"{own['organization_id']}: " if len(found) > 1 else ""
            wrong += [whose + line for problem in problems for line in problem.message.splitlines()]
        if wrong:
            raise BillError("\n".join(wrong))

    @property
    def examined(self) -> str:
        """By what selection it goes: Meltano passes it the catalog of the last run, or none."""
        if self.selection:
            return "Trying the streams that Meltano's `select` selects."
        if self.input_catalog is not None:
            return "Trying the streams that the catalog selects."
        return "No catalog was given: trying every stream that is read by default."


def _read_json(file: t.IO[str] | None, option: str) -> dict[str, t.Any] | None:
    """Return what the file of a command-line option holds, or None without it.

    Raises:
        BillError: if it is not a JSON object.
    """
    if file is None:
        return None
    try:
        value = json.load(file)
    except ValueError as error:
        raise BillError(f"The file given with {option} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise BillError(f"The file given with {option} must hold a JSON object.")
    return value
