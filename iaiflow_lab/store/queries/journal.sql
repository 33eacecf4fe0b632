-- name: journal_number
-- Numbers events and checks the fence in one statement; no row: the fence is stale.
UPDATE runs SET seq = seq + :n
 WHERE id = :id AND fence = :fence AND state IN ('claimed', 'running') RETURNING seq;

-- name: event_put
-- Writes one event.
INSERT INTO events (run_id, seq, at, kind, body) VALUES (?, ?, ?, ?, ?);

-- name: step_put
-- Projects where a step is; an outcome that a later claim can go on from is never touched again.
INSERT INTO steps (run_id, step, node, type, state, attempt, items, source, started_at, ended_at,
                   queue_wait_s, duration_s, cpu_s, peak_rss, rows, bytes, outcome, passing)
VALUES (:run_id, :step, :node, :type, :state, :attempt, :items, :source, :started_at, :ended_at,
        :queue_wait_s, :duration_s, :cpu_s, :peak_rss, :rows, :bytes, :outcome, :passing)
ON CONFLICT (run_id, step) DO UPDATE SET
  node = excluded.node, type = coalesce(nullif(excluded.type, ''), type), state = excluded.state,
  attempt = max(attempt, excluded.attempt), items = coalesce(excluded.items, items),
  source = excluded.source, started_at = coalesce(started_at, excluded.started_at),
  ended_at = excluded.ended_at, queue_wait_s = excluded.queue_wait_s,
  duration_s = excluded.duration_s, cpu_s = excluded.cpu_s, peak_rss = excluded.peak_rss,
  rows = excluded.rows, bytes = excluded.bytes, outcome = excluded.outcome,
  passing = excluded.passing
WHERE outcome IS NULL OR passing = 1;

-- name: steps_left
-- Says of the steps that a lost or released owner was executing that nobody executes them.
UPDATE steps SET state = CASE WHEN :ended THEN 'cancelled' ELSE 'pending' END
WHERE run_id = :id
  AND (state IN ('running', 'waiting') OR :ended AND state IN ('retrying', 'pending'));

-- name: steps_parked
-- Says of the steps that wait for others in them that they wait as well.
UPDATE steps SET state = 'waiting' WHERE run_id = ? AND state = 'running';

-- name: substep_put
-- Records the result of a sub-step; a second one is ignored and noticed by the count.
INSERT INTO substeps (run_id, step, key, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- name: metric_put
-- Remembers a number.
INSERT INTO metrics (run_id, seq, step, name, value, unit, at) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: events_after
-- The events of a run after a number.
SELECT seq, body FROM events WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?;

-- name: events_of_kind
-- The next events of one kind of a run after a number; below 0: all of them.
SELECT seq, body FROM events WHERE run_id = ? AND kind = ? AND seq > ? ORDER BY seq LIMIT ?;

-- name: event_at
-- When one event of a run happened.
SELECT at FROM events WHERE run_id = ? AND seq = ?;

-- name: log_page
-- What some steps wrote, each event with the number of its first line, as far as it holds some of
-- the wanted lines; the number of all lines stands in every row, and one row is always there.
-- Line ends are counted as JSON spells them, with a character of zero a text would end too early.
WITH said AS (
  SELECT seq, body, replace(body -> '$.text', '\\', '') AS text FROM events
   WHERE run_id = :run_id AND kind = 'step_log' AND json_extract(body, '$.stream') <> 'progress'
     AND json_extract(body, '$.step') IN (SELECT value FROM json_each(:steps))),
counted AS (
  SELECT seq, body, (length(text) - length(replace(text, '\n', ''))) / 2
         + (substr(text, -3) <> '\n"') AS lines FROM said),
placed AS (
  SELECT seq, body, lines, sum(lines) OVER (ORDER BY seq) - lines AS first FROM counted)
SELECT placed.body, placed.first, whole.total
  FROM (SELECT coalesce(sum(lines), 0) AS total FROM counted) AS whole
  LEFT JOIN placed ON first < :until AND first + lines > :from ORDER BY seq;

-- name: step_paths
-- The paths of a run's steps.
SELECT step FROM steps WHERE run_id = ?;

-- name: outcomes
-- The settled steps of a run.
SELECT step, outcome FROM steps WHERE run_id = ? AND outcome IS NOT NULL ORDER BY step;

-- name: attempts
-- How often the steps between two calls were called; a call that was cut off does not count.
SELECT step, CASE state WHEN 'retrying' THEN attempt ELSE attempt - 1 END AS attempt FROM steps
 WHERE run_id = ? AND (state = 'retrying' OR state = 'pending' AND attempt > 1) ORDER BY step;

-- name: substeps
-- The recorded sub-steps of a run.
SELECT body FROM substeps WHERE run_id = ? ORDER BY step, key;

-- name: steps_of
-- Every step of a run, in the order in which they started.
SELECT * FROM steps WHERE run_id = ? ORDER BY started_at IS NULL, started_at, step;
