"""Where a workspace keeps its state, and the settings that its owner wrote there."""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

from iaiflow_lab.errors import InputError

#: Name of the state folder; the folder that holds it is the workspace.
STATE_FOLDER: Final = ".iaiflow"
#: Name of the file in it that holds what agents remember.
MEMORY_FILE: Final = "memory.duckdb"
#: Environment variable that moves the state folder elsewhere.
STATE_DIR: Final = "IAIFLOW_STATE_DIR"
#: File in a state folder that was moved: the workspace that it belongs to.
_WHOSE: Final = "workspace"

Durability = Literal["batched", "sync", "full"]

#: Limits of a kernel: bytes of address space, seconds of processor time, open files, processes and
#: threads of the user, bytes in one file.
KERNEL_LIMITS: Final = ("memory", "cpu_s", "files", "processes", "file_size")
#: How a mail server is spoken to: TLS after a first word, TLS from the start, or none.
MailTls = Literal["starttls", "tls", "none"]

#: What a model may ask for.
_PRICES: Final = ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read", "batch")
#: Ports of mail servers by how they are spoken to.
_MAIL_PORTS: Final[Mapping[str, int]] = {"starttls": 587, "tls": 465, "none": 25}
#: Most kernels that may wait.
_MOST_WARM: Final = 64
#: For how many days runs are kept: an hour to a century.
_SHORTEST_DAYS: Final = 0.04
_MOST_DAYS: Final = 36_500


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server that e-mail is given to, by SMTP."""

    host: str
    #: The address that messages come from.
    sender: str
    tls: MailTls = "starttls"
    #: 0: the usual one.
    port: int = 0
    #: Who logs in; "": nobody does.
    user: str = ""
    #: The environment variable that holds the password.
    password_env: str = ""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Where traces of runs are sent, by OTLP over HTTP."""

    #: The collector's address for traces, such as `http://127.0.0.1:4318/v1/traces`.
    endpoint: str
    #: The environment variable that holds further headers, `NAME=VALUE,NAME=VALUE`.
    headers_env: str = ""
    #: Whether what models said and tools gave is sent as well.
    content: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """What `.iaiflow/config.toml` may say; everything has a default."""

    #: When a step's events reach the disk: every 25 ms, with each step, or with each step and
    #: forced through the disk's own cache (survives a power cut).
    durability: Durability = "batched"
    #: How long a worker may be silent before its run is taken away, in seconds.
    lease_s: float = 15.0
    #: How often a run may crash its worker before it fails.
    max_attempts: int = 5
    #: How many runs may be held at once, by `queue:NAME` and `flow:PATH`.
    limits: Mapping[str, int] = field(default_factory=dict[str, int])
    #: What nodes may fetch: `allow` lists hosts (`name` or `name:port`) that are not public.
    fetch: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    #: How long the kernel of a notebook is kept whose flows only wait, in seconds; then the run is
    #: parked, and the notebook runs again from its top when it goes on.
    notebook_wait_s: float = 60.0
    #: How many kernels wait, ready, for the notebooks of a crew of workers; 0: none.
    warm_kernels: int = 1
    #: Modules that these kernels have imported already.
    warm_imports: Sequence[str] = ("iaiflow_lab.lab",)
    #: What the kernel of a notebook run may use at most, by the names in `KERNEL_LIMITS`.
    kernel_limits: Mapping[str, int] = field(default_factory=dict[str, int])
    #: The server for e-mail, by the names in `MailServer`.
    smtp: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: Where traces of runs are sent, by the names in `Telemetry`; empty: nowhere.
    telemetry: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: How much has to be free on the workspace's disk before a queued run begins, in MB (a million
    #: bytes); 0: no matter.
    min_free_disk_mb: int = 200
    #: How much memory has to be available, in MB; 0: no matter.
    min_free_memory_mb: int = 100
    #: How long runs that have ended are kept, in days; None: until somebody removes them.
    keep_days: float | None = None
    #: Where people look at a run, for messages: an address with `{run}` where the id belongs.
    run_link: str = ""
    #: MCP servers that agents may use, by name: `command`, `args`, `env` and `cwd` of one that is
    #: started here, or `url` and `headers`; `secret:NAME` in env and headers stands for a secret.
    mcp: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Any])
    #: What tools of agents may do, by tool: `python` has `allow_unsafe`, to run code in a process
    #: that nothing isolates where the machine offers no isolation.
    tools: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Any])
    #: How what agents remember is found beside by its words: `embedder` names what finds it by its
    #: meaning, as `iaiflow_memory.Memory` takes it.
    memory: Mapping[str, str] = field(default_factory=dict[str, str])
    #: What models cost, by their ids, in dollars per million tokens: `input` and `output`, and
    #: `cache_write_5m`, `cache_write_1h`, `cache_read` and `batch` (a factor) where they differ.
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Any])

    @property
    def embedder(self) -> str:
        """What finds memories by their meaning; "": nothing."""
        return self.memory.get("embedder", "")

    @property
    def traces(self) -> Telemetry | None:
        """Where traces are sent; None: nowhere."""
        return Telemetry(**self.telemetry) if self.telemetry else None

    @property
    def mail_server(self) -> MailServer | None:
        """The server for e-mail; None when none is set."""
        if not self.smtp:
            return None
        server = MailServer(**self.smtp)
        return replace(server, port=server.port or _MAIL_PORTS[server.tls])

    @property
    def allowed_hosts(self) -> Sequence[str]:
        """Hosts that may be fetched from although they are not on the public internet."""
        return self.fetch.get("allow", ())


def find_workspace(start: Path | None = None) -> Path:
    """Return the nearest folder at or above `start` that holds `.iaiflow/`, else `start` itself.

    Where the state folder is moved, it remembers whose it is.

    Args:
        start: A folder or file; the current folder when it is None.

    Raises:
        InputError: `start` does not exist.
    """
    place = Path.cwd() if start is None else start.expanduser().absolute()
    if not place.exists():
        raise InputError(f"The folder {place} does not exist.", remedy="Create it, or name another")
    if not place.is_dir():
        place = place.parent
    remembered = _remembered_workspace()
    if remembered is not None and place.resolve().is_relative_to(remembered.resolve()):
        return remembered
    for folder in (place, *place.parents):
        if (folder / STATE_FOLDER).is_dir():
            return folder
    return place


def state_dir(workspace: Path) -> Path:
    """Return the workspace's state folder: `.iaiflow/`, or what `IAIFLOW_STATE_DIR` names."""
    moved = os.environ.get(STATE_DIR, "")
    return Path(moved).expanduser().absolute() if moved else workspace / STATE_FOLDER


def memory_file(workspace: Path) -> Path:
    """Return the file that holds what agents of the workspace remember."""
    return state_dir(workspace) / MEMORY_FILE


def _remembered_workspace() -> Path | None:
    """Return the workspace that a moved state folder belongs to; None when there is none."""
    moved = os.environ.get(STATE_DIR, "")
    if not moved:
        return None
    try:
        return Path((Path(moved).expanduser() / _WHOSE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def make_state_dir(workspace: Path) -> Path:
    """Create the state folder with its `.gitignore`, when it is missing, and return it.

    Raises:
        InputError: Nothing can be written there, or it holds the state of another workspace.
    """
    folder = state_dir(workspace)
    remembered = _remembered_workspace()
    if remembered is not None and remembered.resolve() != workspace.resolve():
        raise InputError(
            "The state folder holds the state of another workspace.",
            where=f"{folder}, of {remembered}",
            remedy=f"Set {STATE_DIR} to a folder of its own for each workspace",
            code="state-of-another",
        )
    ignore = folder / ".gitignore"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not ignore.exists():
            ignore.write_text("*\n")
        if remembered is None and os.environ.get(STATE_DIR):
            (folder / _WHOSE).write_text(str(workspace), encoding="utf-8")
    except OSError as error:
        raise unwritable(folder, error) from error
    return folder


def unwritable(folder: Path, error: OSError) -> InputError:
    """Return the sentence for a state folder in which nothing can be written."""
    return InputError(
        f"The state folder cannot be written: {error.strerror}.",
        where=str(folder),
        remedy=f"Make it writable, or set {STATE_DIR} to a folder on a local disk",
        code="read-only-workspace",
    )


def load_settings(workspace: Path) -> Settings:
    """Read `config.toml` in the state folder; a file that is missing means the defaults.

    Raises:
        InputError: The file is not TOML, or a setting is unknown or out of range.
    """
    path = state_dir(workspace) / "config.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"This is not a TOML file: {error}.", where=str(path)) from error
    except OSError as error:
        raise InputError(f"The file cannot be read: {error.strerror}.", where=str(path)) from error
    known = [setting.name for setting in fields(Settings)]
    for name, value in data.items():
        if name not in known:
            _refuse(path, f"{name!r} is not a setting", f"Known settings: {', '.join(known)}")
        _check(path, name, value)
    return Settings(**data)


def _check(path: Path, name: str, value: Any) -> None:
    if name == "durability" and value not in get_args(Durability):
        _refuse(path, f"durability = {value!r} is unknown", "Use batched, sync or full")
    if name == "lease_s" and not (_is_number(value) and 1 <= value <= 86_400):
        _refuse(path, f"lease_s = {value!r} is out of range", "Use seconds from 1 to 86400")
    if name == "max_attempts" and not (_is_whole(value) and 1 <= value <= 1_000):
        _refuse(path, f"max_attempts = {value!r} is out of range", "Use 1 to 1000")
    if name == "notebook_wait_s" and not (_is_number(value) and 0 <= value <= 86_400):
        _refuse(path, f"notebook_wait_s = {value!r} is out of range", "Use seconds from 0 to 86400")
    if name == "warm_kernels" and not (_is_whole(value) and 0 <= value <= _MOST_WARM):
        _refuse(path, f"warm_kernels = {value!r} is out of range", f"Use 0 to {_MOST_WARM}")
    if name in {"min_free_disk_mb", "min_free_memory_mb"} and not (_is_whole(value) and value >= 0):
        _refuse(path, f"{name} = {value!r} is no size", "Use whole megabytes, or 0: no matter")
    if name == "keep_days" and not (_is_number(value) and _SHORTEST_DAYS <= value <= _MOST_DAYS):
        _refuse(path, f"keep_days = {value!r} is out of range", "Use days from 0.04 to 36500")
    if name in _CHECKS:
        _CHECKS[name](path, value)


def _check_mail(path: Path, value: Any) -> None:
    known = {setting.name for setting in fields(MailServer)}
    server = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if not {"host", "sender"} <= server.keys():
        _refuse(path, "smtp lacks host or sender", 'Write [smtp], host = "..." and sender = "..."')
    for name, each in server.items():
        if name not in known:
            what = "never stands in a file" if name == "password" else "is no setting of smtp"
            _refuse(path, f"{name!r} {what}", f"Use {', '.join(sorted(known))}")
        is_right = _is_whole(each) and 0 <= each < 65_536 if name == "port" else _is_line(each)
        if not is_right:
            _refuse(path, f"smtp {name} = {each!r} can't be used", "Write a port, or one line")
    if server.get("tls", "starttls") not in _MAIL_PORTS:
        _refuse(path, f"tls = {server['tls']!r} is unknown", "Use starttls, tls or none")
    if not re.fullmatch(r"[!-?A-~]+@[!-?A-~]+", server["sender"]):
        _refuse(path, f"{server['sender']!r} is no address", 'Write sender = "lab@example.org"')
    if server.get("user") and not server.get("password_env"):
        _refuse(path, "smtp has a user and no password", 'Write password_env = "NAME"')
    is_here = server["host"] in {"localhost", "127.0.0.1", "::1"}
    if server.get("user") and server.get("tls") == "none" and not is_here:
        _refuse(path, "A password would go out in the open", 'Use tls = "starttls" or "tls"')


def _check_telemetry(path: Path, value: Any) -> None:
    known = {setting.name for setting in fields(Telemetry)}
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    endpoint: Any = given.get("endpoint")
    if not _is_line(endpoint) or not endpoint.startswith(("http://", "https://")):
        _refuse(
            path,
            "telemetry has no endpoint",
            'Write [telemetry] and endpoint = "http://127.0.0.1:4318/v1/traces"',
        )
    for name, each in given.items():
        if name not in known:
            _refuse(path, f"{name!r} is no setting of telemetry", f"Use {', '.join(sorted(known))}")
        if name == "content" and not isinstance(each, bool):
            _refuse(path, f"telemetry content = {each!r} can't be used", "Write true or false")
        if name != "content" and not _is_line(each):
            _refuse(path, f"telemetry {name} = {each!r} can't be used", "Write one line")


def _check_link(path: Path, value: Any) -> None:
    is_link = _is_line(value) and value.startswith(("http://", "https://")) and "{run}" in value
    if not is_link:
        _refuse(
            path, f"run_link = {value!r} is no address of runs", "Write https://.../{run} there"
        )


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and value.isprintable()


def _check_imports(path: Path, value: Any) -> None:
    names = cast("list[Any]", value) if isinstance(value, list) else [None]
    for name in names:
        if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
            _refuse(path, "warm_imports is no list of modules", 'Write warm_imports = ["polars"]')


def _check_kernel_limits(path: Path, value: Any) -> None:
    if not isinstance(value, dict):
        _refuse(
            path, "kernel_limits is not a table", "Write [kernel_limits] and memory = 4_000_000_000"
        )
    for name, limit in cast("dict[str, Any]", value).items():
        if name not in KERNEL_LIMITS:
            _refuse(path, f"{name!r} is no limit of a kernel", f"Use {', '.join(KERNEL_LIMITS)}")
        if not _is_whole(limit) or not 1 <= limit < 2**63:
            _refuse(path, f"The limit {name} = {limit!r} is no count", "Use a whole number above 0")


def _check_limits(path: Path, value: Any) -> None:
    if not isinstance(value, dict):
        _refuse(path, "limits is not a table", 'Write [limits] and lines like "queue:gpu" = 1')
    for name, limit in cast("dict[str, Any]", value).items():
        if not name.startswith(("queue:", "flow:")):
            _refuse(path, f"The limit {name!r} names nothing", "Use queue:NAME or flow:PATH")
        if not _is_whole(limit) or limit < 0:
            _refuse(path, f"The limit {name!r} = {limit!r} is no count", "Use 0, 1, 2, ...")


def _check_fetch(path: Path, value: Any) -> None:
    if not isinstance(value, dict) or cast("dict[str, Any]", value).keys() - {"allow"}:
        _refuse(path, "fetch has one setting, allow", 'Write [fetch] and allow = ["host:port"]')
    hosts: Any = cast("dict[str, Any]", value).get("allow", [])
    if not isinstance(hosts, list):
        _refuse(path, "allow is no list of hosts", 'Write allow = ["127.0.0.1:8123"]')
    for host in cast("list[Any]", hosts):
        if not isinstance(host, str) or not host or "/" in host:
            _refuse(path, f"{host!r} is no host", "Write a name, or name:port, without http://")


def _check_mcp(path: Path, value: Any) -> None:
    servers = cast("dict[str, Any]", value) if isinstance(value, dict) else {"": value}
    for name, server in servers.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name) or not isinstance(server, dict):
            _refuse(path, f"[mcp.{name}] is no server", "Write [mcp.NAME]: letters, digits, _ or -")
        given = cast("dict[str, Any]", server)
        if ("command" in given) == ("url" in given):
            _refuse(path, f"[mcp.{name}] has to have a command or a url", "Write one of them")
        known = _MCP_LOCAL if "command" in given else _MCP_REMOTE
        for key, each in given.items():
            if key not in known:
                _refuse(path, f"{key!r} is no setting of mcp.{name}", f"Use {', '.join(known)}")
            if not known[key](each):
                _refuse(path, f"{key!r} of mcp.{name} can't be used", "See the documentation")


def _check_memory(path: Path, value: Any) -> None:
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if given.keys() != {"embedder"} or not _is_line(given["embedder"]):
        _refuse(path, "memory has one setting, embedder", 'Write [memory] and embedder = "minilm"')


def _check_tools(path: Path, value: Any) -> None:
    if value not in ({"python": {"allow_unsafe": True}}, {"python": {"allow_unsafe": False}}):
        _refuse(path, "tools has one setting", "Write [tools.python] and allow_unsafe = true")


def _check_prices(path: Path, value: Any) -> None:
    models = cast("dict[str, Any]", value) if isinstance(value, dict) else {"": value}
    for model, prices in models.items():
        given = cast("dict[str, Any]", prices) if isinstance(prices, dict) else {}
        if not {"input", "output"} <= given.keys():
            _refuse(path, f"[prices.{model}] lacks input or output", "Write both, per million")
        for name, price in given.items():
            if name not in _PRICES:
                _refuse(path, f"{name!r} is no price of {model}", f"Use {', '.join(_PRICES)}")
            if not _is_number(price) or not 0 <= price < math.inf:
                _refuse(path, f"The price {name} = {price!r} can't be used", "Write dollars")


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, str) and "\0" not in each for each in cast("list[Any]", value)
    )


def _is_lines(value: Any) -> bool:
    """Say whether this is a table of names and lines."""
    return isinstance(value, dict) and all(
        _is_line(name) and (_is_line(each) or each == "")
        for name, each in cast("dict[Any, Any]", value).items()
    )


def _is_seconds(value: Any) -> bool:
    return _is_number(value) and 0 < value <= 86_400


def _is_address(value: Any) -> bool:
    return _is_line(value) and value.startswith(("http://", "https://"))


def _is_protocol(value: Any) -> bool:
    return value in ("auto", "legacy")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _refuse(path: Path, what: str, remedy: str) -> None:
    raise InputError(f"{what}.", where=str(path), remedy=remedy)


#: What an MCP server may have that is started here, and one that is elsewhere.
_MCP_LOCAL: Final[Mapping[str, Callable[[Any], bool]]] = {
    "command": _is_line,
    "args": _is_texts,
    "env": _is_lines,
    "cwd": _is_line,
    "timeout_s": _is_seconds,
    "protocol": _is_protocol,
}
_MCP_REMOTE: Final[Mapping[str, Callable[[Any], bool]]] = {
    "url": _is_address,
    "headers": _is_lines,
    "timeout_s": _is_seconds,
    "protocol": _is_protocol,
}
#: What checks the settings that are tables, lists or texts.
_CHECKS: Final[Mapping[str, Callable[[Path, Any], None]]] = {
    "limits": _check_limits,
    "fetch": _check_fetch,
    "warm_imports": _check_imports,
    "kernel_limits": _check_kernel_limits,
    "smtp": _check_mail,
    "telemetry": _check_telemetry,
    "run_link": _check_link,
    "mcp": _check_mcp,
    "memory": _check_memory,
    "tools": _check_tools,
    "prices": _check_prices,
}
