from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest

from iaiflow_lab import log_files
from iaiflow_lab.log_files import JsonLines, Secrets, SharedFile

WRITER = """
import logging, sys
from pathlib import Path
from iaiflow_lab.log_files import JsonLines, Secrets, SharedFile
handler = SharedFile(Path(sys.argv[1]), largest=20_000, kept=1_000)
handler.setFormatter(JsonLines("worker", Secrets({})))
logger = logging.getLogger("iaiflow"); logger.addHandler(handler); logger.propagate = False
logger.setLevel("INFO")
for number in range(500):
    logger.info("line %d", number, extra={"writer": sys.argv[2], "number": number})
"""


@pytest.fixture
def logger():
    """Return our logger, which is as before afterwards."""
    made = logging.getLogger(log_files.ROOT)
    before = (made.handlers[:], made.propagate, made.level)
    yield made
    for handler in [each for each in made.handlers if each not in before[0]]:
        made.removeHandler(handler)
        handler.close()
    made.propagate, made.level = before[1:]


def lines(folder):
    texts = [path.read_text() for path in folder.glob("*.jsonl")]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def test_a_record_is_one_line_of_json(tmp_path, logger):
    log_files.start(tmp_path, "serve")
    log_files.start(tmp_path, "serve")
    logging.getLogger("iaiflow.worker").info("Run %s ended.", "run_1", extra={"run": "run_1"})
    try:
        int("with\nlines \ud800")
    except ValueError:
        logger.exception("It broke.")
    first, second = lines(tmp_path / log_files.FOLDER)
    assert first.pop("at").endswith("Z")
    assert first == {
        "level": "INFO", "process": "serve", "pid": os.getpid(),
        "message": "Run run_1 ended.", "run": "run_1",
    }  # fmt: skip
    assert "ValueError: invalid literal" in second["trace"]


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path, logger):
    (tmp_path / log_files.FOLDER).write_text("a file")
    log_files.start(tmp_path, "serve").info("nothing happens")


def test_values_of_variables_named_like_secrets_are_left_out():
    known = {
        "API_KEY": 's3cret"value',
        "PATH": "/usr/bin",
        "TOKEN": "short",
        "DB_PASSWORD": "hunter22",
    }
    record = logging.makeLogRecord(
        {"msg": 's3cret"value hunter22 short /usr/bin', "levelname": "INFO"}
    )
    line = JsonLines("serve", Secrets(known)).format(record)
    assert json.loads(line)["message"] == "[API_KEY] [DB_PASSWORD] short /usr/bin"
    assert Secrets({}).hide("as it is") == "as it is"


def test_old_lines_are_put_aside_and_forgotten(tmp_path):
    handler = SharedFile(tmp_path / "iaiflow.jsonl", largest=1_000, kept=2)
    handler.setFormatter(JsonLines("serve", Secrets({})))
    for number in range(200):
        handler.emit(logging.makeLogRecord({"msg": "x" * 50, "number": number}))
    handler.close()
    names = sorted(path.name for path in tmp_path.glob("*.jsonl"))
    assert set(names) <= {"iaiflow.1.jsonl", "iaiflow.2.jsonl", "iaiflow.jsonl"}
    assert all(path.stat().st_size < 1_500 for path in tmp_path.glob("*.jsonl"))
    assert max(line["number"] for line in lines(tmp_path)) == 199


def test_processes_share_a_file_and_no_line_is_lost_or_torn(tmp_path):
    path = tmp_path / "iaiflow.jsonl"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name])
        for name in ("a", "b", "c")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    found = {(line["writer"], line["number"]) for line in lines(tmp_path)}
    assert len(found) == 1_500
    assert len(list(tmp_path.glob("*.jsonl"))) > 5


@pytest.mark.slow
def test_workers_write_what_they_do(workspace):
    flow = {
        "format": "iaiflow/1",
        "name": "A",
        "nodes": {"a": {"type": "text.template", "config": {"template": "x"}}},
    }
    (workspace / "a.flow.json").write_text(json.dumps(flow))
    for arguments in (["queue", "a.flow.json"], ["worker", "--drain"]):
        program = "from iaiflow_lab.cli import main; main()"
        subprocess.run([sys.executable, "-P", "-c", program, *arguments], check=True, timeout=120)
    found = lines(workspace / ".iaiflow" / log_files.FOLDER)
    assert {line["process"] for line in found} == {"supervisor", "worker"}
    [ended] = [line for line in found if "run" in line]
    assert (ended["ending"], ended["attempt"]) == ("settled", 1)
