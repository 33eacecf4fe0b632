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

CREATE TABLE notification_rules (
  id TEXT NOT NULL,
  project TEXT NOT NULL,
  flow TEXT NOT NULL,
  events TEXT NOT NULL,
  channel TEXT NOT NULL,
  target TEXT NOT NULL,
  secret TEXT NOT NULL,
  quiet TEXT,
  group_s FLOAT NOT NULL,
  late_s FLOAT NOT NULL,
  paused INTEGER DEFAULT '0' NOT NULL,
  sent_at FLOAT,
  created_at FLOAT NOT NULL,
  PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE INDEX rules_by_flow ON notification_rules (project, flow) WHERE paused = 0;

CREATE TABLE removals (
  project TEXT NOT NULL,
  removed_at FLOAT NOT NULL,
  run_id TEXT NOT NULL,
  PRIMARY KEY (project, removed_at, run_id)
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
  schedule_id TEXT,
  due_at FLOAT,
  serial TEXT DEFAULT '' NOT NULL,
  budget TEXT,
  PRIMARY KEY (id)
);

CREATE UNIQUE INDEX runs_by_key ON runs (project, idempotency_key);

CREATE INDEX runs_by_project ON runs (project, id);

CREATE UNIQUE INDEX runs_by_schedule ON runs (schedule_id, due_at) WHERE schedule_id IS NOT NULL;

CREATE INDEX runs_by_version ON runs (project, version);

CREATE INDEX runs_due ON runs (queue, priority, run_at, id, flow, serial) WHERE state = 'queued' AND ready = 1;

CREATE INDEX runs_ended ON runs (project, ended_at) WHERE ended_at IS NOT NULL;

CREATE INDEX runs_held ON runs (owner) WHERE state IN ('claimed', 'running');

CREATE INDEX runs_later ON runs (run_at) WHERE state = 'queued' AND ready = 0;

CREATE INDEX runs_lost ON runs (lost_by) WHERE lost_by <> '';

CREATE INDEX runs_resting ON runs (run_at) WHERE state IN ('retrying', 'waiting') AND ready = 0;

CREATE INDEX runs_scheduled ON runs (schedule_id) WHERE schedule_id IS NOT NULL AND state IN ('queued', 'claimed', 'running', 'waiting', 'retrying');

CREATE INDEX runs_serial ON runs (serial) WHERE serial <> '' AND fence > 0 AND state IN ('queued', 'claimed', 'running', 'waiting', 'retrying');

CREATE TABLE schedules (
  id TEXT NOT NULL,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  target TEXT NOT NULL,
  version TEXT,
  inputs TEXT NOT NULL,
  kind TEXT NOT NULL,
  rule TEXT NOT NULL,
  zone TEXT NOT NULL,
  starts_at FLOAT,
  ends_at FLOAT,
  catchup TEXT NOT NULL,
  overlap TEXT NOT NULL,
  jitter_s FLOAT NOT NULL,
  options TEXT NOT NULL,
  paused INTEGER DEFAULT '0' NOT NULL,
  next_due FLOAT,
  next_fire FLOAT,
  last_due FLOAT,
  seen TEXT,
  created_at FLOAT NOT NULL,
  changed_at FLOAT NOT NULL,
  PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE UNIQUE INDEX schedules_by_name ON schedules (project, name);

CREATE INDEX schedules_files ON schedules (project) WHERE paused = 0 AND kind = 'file';

CREATE INDEX schedules_next ON schedules (project, next_fire) WHERE paused = 0 AND next_fire IS NOT NULL;

CREATE TABLE secret_keys (
  project TEXT NOT NULL,
  id TEXT NOT NULL,
  master TEXT NOT NULL,
  nonce BLOB NOT NULL,
  box BLOB NOT NULL,
  created_at FLOAT NOT NULL,
  PRIMARY KEY (project)
) WITHOUT ROWID;

CREATE TABLE secrets (
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  nonce BLOB,
  box BLOB,
  created_at FLOAT NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (project, name)
) WITHOUT ROWID;

CREATE TABLE servers (
  owner TEXT NOT NULL,
  kind TEXT NOT NULL,
  address TEXT NOT NULL,
  started_at FLOAT NOT NULL,
  seen_at FLOAT NOT NULL,
  stopped_at FLOAT,
  PRIMARY KEY (owner)
) WITHOUT ROWID;

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

CREATE TABLE notifications (
  rule_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  event TEXT NOT NULL,
  since FLOAT NOT NULL,
  made_at FLOAT NOT NULL,
  due FLOAT,
  message TEXT,
  attempts INTEGER DEFAULT '0' NOT NULL,
  sent_at FLOAT,
  error TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (rule_id, run_id, event, since),
  FOREIGN KEY(rule_id) REFERENCES notification_rules (id)
) WITHOUT ROWID;

CREATE INDEX notifications_due ON notifications (due) WHERE due IS NOT NULL;

CREATE INDEX notifications_of ON notifications (rule_id, message) WHERE due IS NOT NULL;

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

CREATE TABLE schedule_misses (
  schedule_id TEXT NOT NULL,
  due_at FLOAT NOT NULL,
  reason TEXT NOT NULL,
  message TEXT NOT NULL,
  noted_at FLOAT NOT NULL,
  PRIMARY KEY (schedule_id, due_at),
  FOREIGN KEY(schedule_id) REFERENCES schedules (id)
) WITHOUT ROWID;

CREATE INDEX misses_noted ON schedule_misses (noted_at);

CREATE TABLE signals (
  id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  name TEXT NOT NULL,
  payload TEXT NOT NULL,
  sender TEXT NOT NULL,
  sent_at FLOAT NOT NULL,
  dedupe TEXT,
  step TEXT,
  "key" TEXT,
  PRIMARY KEY (id),
  FOREIGN KEY(run_id) REFERENCES runs (id)
) WITHOUT ROWID;

CREATE UNIQUE INDEX signals_by_dedupe ON signals (run_id, name, dedupe) WHERE dedupe IS NOT NULL;

CREATE INDEX signals_early ON signals (run_id, name, sent_at) WHERE step IS NULL;

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

CREATE TABLE waits (
  run_id TEXT NOT NULL,
  step TEXT NOT NULL,
  "key" TEXT NOT NULL,
  node TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  message TEXT NOT NULL,
  form TEXT,
  due FLOAT,
  opened_at FLOAT NOT NULL,
  answered_at FLOAT,
  outcome TEXT,
  answer TEXT,
  answered_by TEXT DEFAULT '' NOT NULL,
  reason TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (run_id, step, "key"),
  FOREIGN KEY(run_id) REFERENCES runs (id)
) WITHOUT ROWID;

CREATE INDEX waits_due ON waits (due) WHERE answered_at IS NULL AND due IS NOT NULL;

CREATE INDEX waits_open ON waits (run_id, name) WHERE answered_at IS NULL;
