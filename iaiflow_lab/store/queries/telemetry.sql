-- name: count_runs
-- How many runs there are in each state.
SELECT state, count(*) AS n FROM runs WHERE project = ? GROUP BY state;

-- name: count_queued
-- How many runs of each queue are due, and since when the oldest is.
SELECT queue, count(*) AS n, min(run_at) AS oldest FROM runs
 WHERE project = ? AND state = 'queued' AND ready = 1 GROUP BY queue;

-- name: spread_runs
-- How long ended runs took, by state and bucket of `telemetry.BOUNDS`.
WITH spans AS (
  SELECT state AS label, ended_at - started_at AS seconds FROM runs
   WHERE project = ? AND ended_at IS NOT NULL AND started_at IS NOT NULL)
SELECT label, count(*) AS n, sum(seconds) AS total,
       CASE WHEN seconds <= 0.1 THEN 0 WHEN seconds <= 0.5 THEN 1 WHEN seconds <= 1 THEN 2
            WHEN seconds <= 5 THEN 3 WHEN seconds <= 15 THEN 4 WHEN seconds <= 60 THEN 5
            WHEN seconds <= 300 THEN 6 WHEN seconds <= 1800 THEN 7 WHEN seconds <= 7200 THEN 8
            WHEN seconds <= 43200 THEN 9 ELSE 10 END AS bucket
  FROM spans GROUP BY label, bucket;

-- name: spread_steps
-- Steps by state and node type, and how long they took in the same buckets, in one look.
SELECT type AS label, state, count(*) AS n, sum(duration_s) AS total,
       CASE WHEN duration_s IS NULL THEN NULL
            WHEN duration_s <= 0.1 THEN 0 WHEN duration_s <= 0.5 THEN 1 WHEN duration_s <= 1 THEN 2
            WHEN duration_s <= 5 THEN 3 WHEN duration_s <= 15 THEN 4 WHEN duration_s <= 60 THEN 5
            WHEN duration_s <= 300 THEN 6 WHEN duration_s <= 1800 THEN 7
            WHEN duration_s <= 7200 THEN 8 WHEN duration_s <= 43200 THEN 9 ELSE 10 END AS bucket
  FROM steps GROUP BY label, state, bucket;

-- name: spread_lateness
-- How long after their moment the runs of schedules started, in the same buckets.
WITH spans AS (
  SELECT max(0, started_at - due_at) AS seconds FROM runs
   WHERE schedule_id IS NOT NULL AND due_at IS NOT NULL AND started_at IS NOT NULL AND project = ?)
SELECT '' AS label, count(*) AS n, sum(seconds) AS total,
       CASE WHEN seconds <= 0.1 THEN 0 WHEN seconds <= 0.5 THEN 1 WHEN seconds <= 1 THEN 2
            WHEN seconds <= 5 THEN 3 WHEN seconds <= 15 THEN 4 WHEN seconds <= 60 THEN 5
            WHEN seconds <= 300 THEN 6 WHEN seconds <= 1800 THEN 7 WHEN seconds <= 7200 THEN 8
            WHEN seconds <= 43200 THEN 9 ELSE 10 END AS bucket
  FROM spans GROUP BY bucket;

-- name: count_misses
-- How many moments of schedules went without a run, by reason.
SELECT reason, count(*) AS n FROM schedule_misses GROUP BY reason;

-- name: count_schedules
-- How many schedules fire, how many are paused, and how many are overdue.
SELECT count(*) AS n, coalesce(sum(paused), 0) AS paused,
       coalesce(sum(paused = 0 AND next_fire < :now), 0) AS overdue
  FROM schedules WHERE project = :project;

-- name: count_stored
-- How many waits are open, and how many bytes artifacts take.
SELECT (SELECT count(*) FROM waits WHERE answered_at IS NULL) AS waits,
       (SELECT coalesce(sum(size), 0) FROM artifacts) AS bytes;

-- name: runs_ended
-- Runs that ended at a moment or later, in that order.
SELECT id, ended_at FROM runs WHERE project = :project AND ended_at >= :since
ORDER BY ended_at, id LIMIT :limit;
