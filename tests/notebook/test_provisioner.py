"""Warm kernels for any program that uses jupyter_client."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory

from iaiflow_lab.notebook import fork_wire, warm_kernels
from iaiflow_lab.notebook.provisioner import WarmProvisioner

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.skipif(bool(warm_kernels.why_impossible()), reason="nothing can be forked here"),
]


@pytest.fixture(params=["warm", "cold"])
def manager(request, shared_server, monkeypatch, tmp_path, capfd):
    """Return a manager as a stranger makes it; our provisioner is named in the environment."""
    server = str(shared_server.socket) if request.param == "warm" else ""
    monkeypatch.setenv(fork_wire.SOCKET, server)
    monkeypatch.setattr(warm_kernels, "_PATIENCE", 60.0)  # a busy machine may be slow to fork
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "iaiflow-warm")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    KernelProvisionerFactory.clear_instance()
    with capfd.disabled():  # a kernel inherits real outputs
        made = KernelManager()
        yield made
        made.shutdown_kernel(now=True)
        made.context.destroy()
    KernelProvisionerFactory.clear_instance()


def ask(client, code: str) -> str:
    """Return what an expression is in the kernel."""
    reply = client.execute_interactive(
        "", user_expressions={"answer": code}, silent=True, timeout=60
    )
    return reply["content"]["user_expressions"]["answer"]["data"]["text/plain"]


@pytest.fixture
def client(manager, tmp_path):
    manager.start_kernel(cwd=str(tmp_path))
    made = manager.client()
    made.start_channels()
    made.wait_for_ready(timeout=60)
    yield made
    made.stop_channels()


def is_warm(manager) -> bool:
    return isinstance(manager.provisioner.process, warm_kernels.WarmKernel)


def test_a_stranger_gets_a_kernel_that_lives_and_ends_as_any(manager, client, tmp_path):
    assert isinstance(manager.provisioner, WarmProvisioner)
    assert is_warm(manager) == (os.environ[fork_wire.SOCKET] != "")
    assert ask(client, "__import__('os').getcwd()") == repr(str(tmp_path))
    pid = int(ask(client, "__import__('os').getpid()"))
    assert manager.provisioner.pid == pid
    assert manager.is_alive()
    manager.shutdown_kernel()
    assert not manager.is_alive()
    assert not Path(f"/proc/{pid}").exists()


def test_an_interrupt_reaches_it(manager, client):
    asked = client.execute("import time\nprint('in')\ntime.sleep(600)")
    while client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
        pass
    manager.interrupt_kernel()
    while True:
        reply = client.get_shell_msg(timeout=60)
        if reply["parent_header"]["msg_id"] == asked:
            break
    assert reply["content"]["ename"] == "KeyboardInterrupt"


def test_a_restarted_kernel_keeps_its_addresses(manager, client):
    before = manager.get_connection_info()
    first = ask(client, "__import__('os').getpid()")
    manager.restart_kernel(now=True)
    assert manager.get_connection_info() == before
    client.wait_for_ready(timeout=60)
    assert ask(client, "__import__('os').getpid()") != first
    assert not is_warm(manager)


def test_a_kernel_that_dies_has_a_status(manager, client):
    client.execute("import os; os._exit(7)")
    manager.provisioner.process.wait(60)
    assert not manager.is_alive()
    assert manager.provisioner.process.poll() == 7


def test_an_encrypted_connection_is_for_kernels_that_know_the_keys(shared_server, monkeypatch):
    monkeypatch.setenv(fork_wire.SOCKET, str(shared_server.socket))
    manager = KernelManager(transport_encryption="required")
    spec: KernelSpec = manager.kernel_spec
    manager.provisioner = WarmProvisioner(kernel_spec=spec, parent=manager)
    manager.start_kernel()
    try:
        assert manager.provisioner.why_cold == "The connection to the kernel is encrypted."
    finally:
        manager.shutdown_kernel(now=True)
        manager.context.destroy()
