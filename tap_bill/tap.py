"""TapBill: settings, streams, and the command line."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import typing as t
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from signal import Signals

from singer_sdk import Tap
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.tap_base import CliTestOptionValue

from tap_bill import settings
from tap_bill.api.client import BillClient, Client, Shared, SpendClient
from tap_bill.api.errors import BillError, ConfigurationError, Scope, fault
from tap_bill.api.stats import Tallies
from tap_bill.resources import RESOURCES, Resource
from tap_bill.run.check import examine
from tap_bill.run.logs import be_quiet
from tap_bill.run.runner import run
from tap_bill.singer import catalog as catalogs
from tap_bill.singer import stream_maps as maps
from tap_bill.singer.selection import Selection
from tap_bill.singer.streams import BillStream, ResourceStream, stream_classes
from tap_bill.singer.writer import PageWriter, output, say
from tap_bill.sync import state
from tap_bill.sync.reader import Fetcher

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import FrameType

    import click


LEFT_OUT: t.Final = {
    True: "Spend & Expense is not read: spend_api_token is not set.",
    False: f"Only Spend & Expense is read: {', '.join(settings.NEEDED)} are not set.",
}
"""What is logged where the credentials of Spend & Expense, or of all else, are missing."""

UNNAMED: t.Final = (
    "Not read, because Meltano's `select` does not name them: %s. Most of them take a request for each record of "
    "another stream. To read one, name it in `select`, for example %s.*"
)
"""What is logged where `*` selects streams that are read only on request."""

LAST_WORDS: t.Final = 1.0
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
    main: TapBill | None = None

    def __init__(self, *, parse_env_config: bool = False, catalog: t.Any = None, **kwargs: t.Any) -> None:
        """Make the tap.

        Raises:
            BillError: if the catalog cannot be read.
            ConfigurationError: if a setting cannot work.
            StateError: if the state is not this tap's.
        """
        self.stop = threading.Event()
        self.tallies = Tallies()
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

    def for_organization(self, own: Mapping[str, t.Any], writer: PageWriter) -> TapBill:
        """Return a tap that reads one of several organizations, as this one would read it alone.

        Args:
            own: its settings, from `settings.organizations`.
            writer: where its messages go.
        """
        tap = type(self)(
            config=dict(own),
            catalog=self.input_catalog,
            state=state.of_organization(self.state, own["organization_id"]),
            validate_config=False,
            message_writer=writer,
        )
        tap.main, tap.shared = self, self.shared
        return tap

    def load_state(self, state_: dict[str, t.Any]) -> None:
        """Take over the state of the last run.

        Raises:
            StateError: if another tap wrote it.
        """
        state.check(state_)
        super().load_state(state_)

    def discover_streams(self) -> Sequence[BillStream]:
        """Return every stream of the resource table."""
        return [cls(self) for cls in stream_classes(RESOURCES)]

    def run_discovery(self) -> str:
        """Write the catalog."""
        with output():
            return super().run_discovery()

    @property
    def organization_id(self) -> str:
        """The organization that is read; empty where only Spend & Expense is, and it is not set."""
        return str(self.config.get("organization_id", ""))

    @cached_property
    def owner(self) -> dict[str, str | None]:
        """The column that tells rows of several organizations apart."""
        return {state.ORGANIZATION: self.organization_id or None}

    @cached_property
    def shared(self) -> Shared:
        """What this tap shares with those of other organizations."""
        return Shared(self.config)

    @cached_property
    def client(self) -> BillClient:
        """The client of the organization; nothing is sent before it is used."""
        return BillClient(self.config, self.shared, self.tallies, user_agent=self._user_agent, stop=self.stop)

    @cached_property
    def spend_client(self) -> SpendClient:
        """The client of Spend & Expense; nothing is sent before it is used."""
        return SpendClient(self.config, self.shared, self.tallies, user_agent=self._user_agent, stop=self.stop)

    @property
    def _user_agent(self) -> str:
        return self.config.get("user_agent") or f"tap-bill/{version('tap-bill')}"

    @cached_property
    def fetcher(self) -> Fetcher:
        """What fetches the pages of payables and receivables."""
        return Fetcher(self.client, limit=self.config["max_concurrency"], check=self._check)

    @cached_property
    def spend_fetcher(self) -> Fetcher:
        """What fetches the pages of Spend & Expense."""
        return Fetcher(self.spend_client, limit=self.config["max_concurrency"], check=self._check)

    def client_of(self, resource: Resource) -> Client:
        """Return what reads a resource."""
        return self.spend_client if resource.is_spend else self.client

    def fetcher_of(self, resource: Resource) -> Fetcher:
        """Return what fetches the pages of a resource."""
        return self.spend_fetcher if resource.is_spend else self.fetcher

    def may_read(self, resource: Resource) -> bool:
        """Whether there are credentials for a resource; each side of BILL may be read without the other."""
        if resource.is_spend:
            return "spend_api_token" in self.config
        return not settings.reads_only_spend(self.config)

    def check_selection(self) -> None:
        """Say what is left out for want of credentials.

        Raises:
            BillError: if nothing is left.
        """
        streams = t.cast("Mapping[str, BillStream]", self.streams)
        left_out = [stream.resource for stream in streams.values() if stream.is_wanted and not stream.selected]
        lines = [LEFT_OUT[is_spend] for is_spend in {resource.is_spend: None for resource in left_out}]
        if not self.needed_streams():
            why = lines[0] if lines else "Select some in the catalog (with Meltano: `select`)."
            raise BillError(f"No stream is selected that can be read. {why}")
        for line in lines:
            self.logger.info(line)

    def sign_in(self) -> dict[Client, BillError]:
        """Make sure that BILL accepts the credentials that will be used.

        Returns:
            Those that it does not, and why; others are accepted.

        Raises:
            BillError: if it accepts none, or cannot be reached.
        """
        clients = list(dict.fromkeys(self.client_of(stream.resource) for stream in self.needed_streams()))
        refused: dict[Client, BillError] = {}
        for client in clients:
            try:
                client.sign_in()
            except BillError as error:
                refused[client] = error
                if error.scope is Scope.RUN or len(clients) == 1:
                    raise
        if len(refused) == len(clients):
            raise BillError("\n".join(error.message for error in refused.values()))
        return refused

    def needed_streams(self) -> list[BillStream]:
        """Return the streams that are selected, or that selected line tables come from."""
        streams = t.cast("Mapping[str, BillStream]", self.streams)
        return [stream for stream in streams.values() if stream.selected or stream.has_selected_descendents]

    def read_streams(self) -> list[ResourceStream]:
        """Return those of them that are read by themselves."""
        return [stream for stream in self.needed_streams() if isinstance(stream, ResourceStream)]

    def begin(self, streams: Iterable[ResourceStream]) -> None:
        """Let first pages be fetched while earlier streams are written, and write the state that the run begins with.

        Args:
            streams: what will be read, in this order.
        """
        self._reset_state_progress_markers()
        for stream in streams:
            self.fetcher_of(stream.resource).expect(stream.expected())
        if self.state:
            self.state_writer.write_state(self.state)

    def close(self) -> None:
        """End what is under way and sign out; the tap is not used after that."""
        self.stop.set()
        patience = LAST_WORDS if (self.main or self).signal else None
        for client, fetcher in (("client", "fetcher"), ("spend_client", "spend_fetcher")):
            used = vars(self)
            ended = used[fetcher].close(patience) if fetcher in used else True
            if client in used:
                used[client].close(sign_out=ended)

    # Signals

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Note the signal; the run ends between two pages, so that no line of output is cut."""
        del frame
        self.signal = signum
        if not vars(self).keys() & {"fetcher", "spend_fetcher"}:
            self._check()

    def _check(self) -> None:
        """End an interrupted run with the exit code that a shell expects: a scheduler must not think it finished."""
        if signal := (self.main or self).signal:
            if not self.main:
                self.logger.warning("Stopped by %s; the next run resumes here.", Signals(signal).name)
            raise SystemExit(128 + signal)

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
        run(tap)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Write what waits at the end, and sign out, however it comes."""
        with contextlib.closing(self):
            yield
            self.message_writer.flush()

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
        """Return the command line, on which `--test` knows the catalog wherever it stands."""
        be_quiet()
        command = super().get_singer_command()
        for option in command.params:
            option.is_eager = option.is_eager or option.name == "catalog"
        return command

    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Say what these credentials may read, or with `--test=schema` write the schemas without asking BILL."""
        del param
        if value == CliTestOptionValue.Disabled.value:
            return
        config: _ConfigInput = ctx.params.get("config", _ConfigInput())
        catalog = _read_json(ctx.params.get("catalog"), "--catalog")
        tap = cls(config=config.config, parse_env_config=config.parse_env, catalog=catalog)
        if value == CliTestOptionValue.Schema.value:
            tap.write_schemas()
        else:
            tap.examine()
        ctx.exit()

    def examine(self) -> None:
        """Read one record of every selected stream of every organization, and print what can be read.

        Raises:
            BillError: with everything that is wrong, one problem per line.
        """
        found = settings.organizations(self.config)
        wrong: list[str] = []
        say(self.examined)
        for own in found:
            try:
                tap = self if len(found) == 1 else self.for_organization(own, self.message_writer)
                if self.selection:
                    for name, stream in tap.streams.items():
                        stream.selected = self.selection.selects(name)
                tap.check_selection()
                with contextlib.closing(tap):
                    problems = examine(tap, say)
            except BillError as error:
                problems = [error]
            except Exception as error:  # noqa: BLE001 - a fault of ours
                problems = [fault("--test", error)]
            whose = f"{own['organization_id']}: " if len(found) > 1 else ""
            wrong += [whose + line for problem in problems for line in problem.message.splitlines()]
        if wrong:
            raise BillError("\n".join(wrong))

    @property
    def examined(self) -> str:
        """By what selection `--test` goes: Meltano passes it the catalog of the last run, or none."""
        if self.selection:
            return "Trying the streams that Meltano's `select` selects."
        if self.input_catalog is not None:
            return "Trying the streams that the catalog selects."
        return "No catalog was given: trying every stream that is read by default."

    @property
    def whose(self) -> str:
        """Whose data is read, for messages."""
        return f"organization {self.organization_id}" if self.organization_id else "Spend & Expense"


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
