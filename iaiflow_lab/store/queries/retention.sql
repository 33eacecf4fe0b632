-- name: runs_expired
-- Runs of a project that ended before a moment, but for those that a run repeats which has not.
SELECT id FROM runs
 WHERE project = :project AND state IN ('completed', 'failed', 'cancelled') AND ended_at < :before
   AND id NOT IN (
     SELECT retry_of FROM runs WHERE retry_of IS NOT NULL
        AND state IN ('draft', 'queued', 'claimed', 'running', 'waiting', 'retrying'))
ORDER BY id;

-- name: run_repeated_by
-- A run that repeats another and has not ended.
SELECT id FROM runs
 WHERE retry_of = ? AND state IN ('draft', 'queued', 'claimed', 'running', 'waiting', 'retrying')
LIMIT 1;

-- name: runs_condemn
-- Takes runs out of their project, if they may still be removed: what is left of them is cleared.
UPDATE runs SET project = :prefix || project, idempotency_key = NULL, schedule_id = NULL
 WHERE project = :project AND id IN (SELECT value FROM json_each(:ids))
   AND state IN ('completed', 'failed', 'cancelled')
   AND id NOT IN (
     SELECT retry_of FROM runs WHERE retry_of IS NOT NULL
        AND state IN ('draft', 'queued', 'claimed', 'running', 'waiting', 'retrying'));

-- name: removals_put
-- Notes which of some runs have left their project.
INSERT INTO removals (project, removed_at, run_id)
SELECT :project, :now, id FROM runs
 WHERE project = :prefix || :project AND id IN (SELECT value FROM json_each(:ids))
ON CONFLICT DO NOTHING;

-- name: removals_trim
-- Forgets those of long ago.
DELETE FROM removals WHERE project = :project AND removed_at < :before;

-- name: removals_since
-- Runs that were removed at a moment or later, in that order.
SELECT run_id, removed_at FROM removals WHERE project = :project AND removed_at >= :since
ORDER BY removed_at, run_id;

-- name: runs_condemned
-- Runs of which something is left that is to be cleared.
SELECT id, project, version FROM runs WHERE project >= :prefix AND project < :end ORDER BY id;

-- name: clear_events
-- Clears some of what is kept for a run; the same for the next six.
DELETE FROM events WHERE run_id = :run_id AND seq IN (
  SELECT seq FROM events WHERE run_id = :run_id LIMIT :most);

-- name: clear_metrics
-- Clears some metrics.
DELETE FROM metrics WHERE run_id = :run_id AND seq IN (
  SELECT seq FROM metrics WHERE run_id = :run_id LIMIT :most);

-- name: clear_steps
-- Clears some steps.
DELETE FROM steps WHERE run_id = :run_id AND step IN (
  SELECT step FROM steps WHERE run_id = :run_id LIMIT :most);

-- name: clear_substeps
-- Clears some sub-steps.
DELETE FROM substeps WHERE run_id = :run_id AND (step, key) IN (
  SELECT step, key FROM substeps WHERE run_id = :run_id LIMIT :most);

-- name: clear_waits
-- Clears some waits.
DELETE FROM waits WHERE run_id = :run_id AND (step, key) IN (
  SELECT step, key FROM waits WHERE run_id = :run_id LIMIT :most);

-- name: clear_signals
-- Clears some signals.
DELETE FROM signals WHERE id IN (SELECT id FROM signals WHERE run_id = :run_id LIMIT :most);

-- name: clear_artifacts
-- Clears some needs of artifacts.
DELETE FROM run_artifacts WHERE run_id = :run_id AND (step, role, name) IN (
  SELECT step, role, name FROM run_artifacts WHERE run_id = :run_id LIMIT :most);

-- name: clear_notifications
-- Clears what people were to be told of a run.
DELETE FROM notifications
 WHERE rule_id IN (SELECT id FROM notification_rules) AND run_id = ?;

-- name: run_drop
-- Deletes a run of which nothing else is left.
DELETE FROM runs WHERE id = ?;

-- name: artifacts_sum
-- How many artifacts are stored, and their bytes.
SELECT count(*) AS count, coalesce(sum(size), 0) AS bytes FROM artifacts;
