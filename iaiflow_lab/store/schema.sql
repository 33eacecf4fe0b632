-- Made by `python -m iaiflow_lab.store.schema`; do not edit.

CREATE TABLE artifacts (
  hash TEXT NOT NULL,
  size INTEGER NOT NULL,
  touched_at FLOAT NOT NULL,
  PRIMARY KEY (hash)
) WITHOUT ROWID;

CREATE TABLE cache (
  project TEXT NOT NULL,
  "key" TEXT NOT NULL,
  outputs TEXT NOT NULL,
  created_at FLOAT NOT NULL,
  expires_at FLOAT,
  PRIMARY KEY (project, "key")
) WITHOUT ROWID;

CREATE TABLE flow_saves (
  project TEXT NOT NULL,
  path TEXT NOT NULL,
  number INTEGER NOT NULL,
  version TEXT NOT NULL,
  file TEXT NOT NULL,
  note TEXT NOT NULL,
  saved_at FLOAT NOT NULL,
  PRIMARY KEY (project, path, number)
);

CREATE TABLE flow_versions (
  project TEXT NOT NULL,
  version TEXT NOT NULL,
  definition TEXT NOT NULL,
  created_at FLOAT NOT NULL,
  PRIMARY KEY (project, version)
) WITHOUT ROWID;

CREATE TABLE flows (
  project TEXT NOT NULL,
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  saved_at FLOAT NOT NULL,
  PRIMARY KEY (project, path)
) WITHOUT ROWID;

CREATE TABLE limits (
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (kind, subject)
) WITHOUT ROWID;

CREATE TABLE runs (
  id TEXT NOT NULL,
  project TEXT NOT NULL,
  flow TEXT NOT NULL,
  source TEXT NOT NULL,
  version TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT DEFAULT '' NOT NULL,
  error TEXT,
  inputs TEXT NOT NULL,
  outputs TEXT,
  queue TEXT NOT NULL,
  priority INTEGER NOT NULL,
  run_at FLOAT NOT NULL,
  ready INTEGER NOT NULL,
  owner TEXT DEFAULT '' NOT NULL,
  lease_boot TEXT DEFAULT '' NOT NULL,
  lease_until FLOAT,
  lost_by TEXT DEFAULT '' NOT NULL,
  fence INTEGER DEFAULT '0' NOT NULL,
  attempt INTEGER DEFAULT '1' NOT NULL,
  max_attempts INTEGER NOT NULL,
  seq INTEGER DEFAULT '0' NOT NULL,
  cancel_requested INTEGER DEFAULT '0' NOT NULL,
  use_cache INTEGER DEFAULT '0' NOT NULL,
  timeout FLOAT,
  idempotency_key TEXT,
  request TEXT DEFAULT '' NOT NULL,
  retry_of TEXT,
  rerun TEXT,
  created_at FLOAT NOT NULL,
  started_at FLOAT,
  ended_at FLOAT,
  PRIMARY KEY (id)
);

CREATE UNIQUE INDEX runs_by_key ON runs (project, idempotency_key);

CREATE INDEX runs_by_project ON runs (project, id);

CREATE INDEX runs_due ON runs (queue, priority, run_at, id, flow) WHERE state = 'queued' AND ready = 1;

CREATE INDEX runs_held ON runs (owner) WHERE state IN ('claimed', 'running');

CREATE INDEX runs_later ON runs (run_at) WHERE state = 'queued' AND ready = 0;

CREATE INDEX runs_lost ON runs (lost_by) WHERE lost_by <> '';

CREATE INDEX runs_retrying ON runs (run_at) WHERE state = 'retrying';

CREATE TABLE events (
  run_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at FLOAT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (run_id, seq),
  FOREIGN KEY(run_id) REFERENCES runs (id)
) WITHOUT ROWID;

CREATE TABLE metrics (
  run_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  step TEXT NOT NULL,
  name TEXT NOT NULL,
  value FLOAT NOT NULL,
  unit TEXT NOT NULL,
  at FLOAT NOT NULL,
  PRIMARY KEY (run_id, seq),
  FOREIGN KEY(run_id) REFERENCES runs (id)
) WITHOUT ROWID;

CREATE TABLE run_artifacts (
  run_id TEXT NOT NULL,
  step TEXT NOT NULL,
  role TEXT NOT NULL,
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  size INTEGER NOT NULL,
  media_type TEXT NOT NULL,
  PRIMARY KEY (run_id, step, role, name),
  FOREIGN KEY(run_id) REFERENCES runs (id)
) WITHOUT ROWID;

CREATE INDEX run_artifacts_by_hash ON run_artifacts (hash);

CREATE TABLE steps (
  run_id TEXT NOT NULL,
  step TEXT NOT NULL,
  node TEXT NOT NULL,
  type TEXT NOT NULL,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  items INTEGER,
  source TEXT,
  started_at FLOAT,
  ended_at FLOAT,
  queue_wait_s FLOAT,
  duration_s FLOAT,
  cpu_s FLOAT,
  peak_rss INTEGER,
  rows INTEGER,
  bytes INTEGER,
  outcome TEXT,
  passing INTEGER,
  PRIMARY KEY (run_id, step),
  FOREIGN KEY(run_id) REFERENCES runs (id)
) WITHOUT ROWID;

CREATE TABLE substeps (
  run_id TEXT NOT NULL,
  step TEXT NOT NULL,
  "key" TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (run_id, step, "key"),
  FOREIGN KEY(run_id) REFERENCES runs (id)
) WITHOUT ROWID;
