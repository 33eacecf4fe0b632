"""How a kernel's process comes to be: taken from a fork server when there is one, else started.

jupyter_client finds it by the entry point `jupyter_client.kernel_provisioners` under the name
`iaiflow-warm`. Programs that use jupyter_client get it with the environment variable
`JUPYTER_DEFAULT_PROVISIONER_NAME=iaiflow-warm`, or for one kernel with this in its `kernel.json`:
`"metadata": {"kernel_provisioner": {"provisioner_name": "iaiflow-warm"}}`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from iaiflow_lab.notebook import resource_limits, warm_kernels
from iaiflow_lab.notebook.warm_kernels import ColdError, WarmKernel

#: How long a fork server may take to remove the sockets of a kernel that has ended, in seconds.
_PATIENCE: Final = 5.0
#: How often that is looked at, in seconds.
_LOOK: Final = 0.01


class WarmProvisioner(LocalProvisioner):
    """jupyter_client's own provisioner, which asks a fork server first."""

    #: What the kernel may use, as `resource_limits` has it.
    limits: Mapping[str, int] = {}
    #: Why none is to be taken; "" when one may be.
    refusal = ""
    #: Why the kernel was started from nothing; "" when it was taken.
    why_cold = ""
    #: Folder of the sockets of a kernel that was taken: a restarted one keeps its addresses.
    _addresses: Path | None = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Take a kernel, or start one with `cmd`; returns its connection information."""
        try:
            taken, connection = await self._take(cmd, kwargs)
        except ColdError as reason:
            self.why_cold = str(reason)
            if self._addresses is not None:
                await self._await_removal(self._addresses)
                self._addresses.mkdir(mode=0o700, parents=True, exist_ok=True)
            command = resource_limits.limited(self.limits, cmd)
            return await super().launch_kernel(command, **kwargs)
        self.process: Any = taken
        self.pid = self.pgid = taken.pid
        self.cwd = kwargs.get("cwd")
        self._addresses = Path(connection["ip"]).parent
        self.why_cold = ""
        self.connection_info = connection | {"key": connection["key"].encode()}
        return self.connection_info

    async def _await_removal(self, folder: Path) -> None:
        """Wait until a fork server, if it lives, has removed what was its kernel's."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while os.access(folder, os.F_OK):  # noqa: ASYNC110  nobody tells of it
                    await asyncio.sleep(_LOOK)

    async def _take(self, cmd: list[str], kwargs: dict[str, Any]) -> tuple[WarmKernel, Any]:
        reason = self.refusal or warm_kernels.why_impossible() or warm_kernels.why_other(cmd)
        if not reason and getattr(self.parent, "curve_publickey", None) is not None:
            reason = "The connection to the kernel is encrypted."
        if self._addresses is not None:
            reason = "A restarted kernel keeps its addresses."
        path = warm_kernels.find_server()
        if reason or not path:
            raise ColdError(reason or "No fork server is running.")
        environment = kwargs["env"] | {"JPY_PARENT_PID": str(os.getpid())}
        folder = str(kwargs.get("cwd") or Path.cwd())
        outputs = _outputs(kwargs.get("stdout"), kwargs.get("stderr"))
        order = warm_kernels.Order(folder, environment, self.limits)
        return await warm_kernels.take(path, order, outputs)

    async def wait(self) -> int | None:
        """Wait for the end of the process."""
        if not isinstance(self.process, WarmKernel):
            return await super().wait()
        status = await self.process.ended()
        self.process.close()
        self.process = None
        return status

    async def cleanup(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002  not our signature
        """Remove what is left of the kernel."""
        if self._addresses is not None and not restart:
            shutil.rmtree(self._addresses, ignore_errors=True)
        await super().cleanup(restart=restart)


def _outputs(stdout: IO[bytes] | int | None, stderr: IO[bytes] | int | None) -> tuple[int, int]:
    """Return the descriptors that `Popen` would give to a process.

    Raises:
        ColdError: It would make a pipe.
    """
    out = _descriptor(stdout, sys.__stdout__)
    return out, out if stderr == subprocess.STDOUT else _descriptor(stderr, sys.__stderr__)


def _descriptor(given: IO[bytes] | int | None, inherited: IO[str] | None) -> int:
    if given in (subprocess.PIPE, subprocess.DEVNULL):
        raise ColdError("The kernel's output goes into a pipe.")
    source = inherited if given is None else given
    if source is None:
        raise ColdError("There is no standard output to give to the kernel.")
    try:
        return source if isinstance(source, int) else source.fileno()
    except OSError as error:
        raise ColdError("There is no standard output to give to the kernel.") from error
