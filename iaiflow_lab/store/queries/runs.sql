-- name: run_put
-- Writes a new draft.
INSERT INTO runs (id, project, flow, source, version, state, inputs, queue, priority, run_at,
                  ready, max_attempts, use_cache, timeout, budget, idempotency_key, request,
                  retry_of, rerun, created_at, schedule_id, due_at, serial)
VALUES (:id, :project, :flow, :source, :version, 'draft', :inputs, :queue, :priority, :run_at,
        :ready, :max_attempts, :use_cache, :timeout, :budget, :idempotency_key, :request,
        :retry_of, :rerun, :created_at, :schedule_id, :due_at, :serial);

-- name: run_head
-- What decides about a run's next state.
SELECT id, state, flow, queue, fence, attempt, max_attempts, seq, owner, lease_boot, lease_until, lost_by,
       run_at, ready, cancel_requested, started_at
  FROM runs WHERE id = ?;

-- name: run_change
-- Writes a run's next state, computed from the head that was read in the same transaction.
UPDATE runs SET
  state = :state, reason = :reason, error = :error, outputs = :outputs, fence = :fence,
  attempt = :attempt, seq = :seq, owner = :owner, lease_boot = :lease_boot,
  lease_until = :lease_until, lost_by = :lost_by, run_at = :run_at, ready = :ready,
  started_at = :started_at, ended_at = :ended_at
WHERE id = :id;

-- name: run_edit
-- Changes what a draft will be asked to do.
UPDATE runs SET version = :version, inputs = :inputs, queue = :queue, priority = :priority, run_at = :run_at,
  timeout = :timeout, budget = :budget, use_cache = :use_cache
WHERE project = :project AND id = :id AND state = 'draft';

-- name: run_ask_cancel
-- Notes that somebody wants a held run to end.
UPDATE runs SET cancel_requested = 1 WHERE id = ?;

-- name: run_cancel_asked
-- Whether somebody asked for a run's cancellation.
SELECT cancel_requested FROM runs WHERE id = ?;

-- name: run_by_key
-- The run that an idempotency key has made.
SELECT id, request FROM runs WHERE project = ? AND idempotency_key = ?;

-- name: run_by_id
-- Everything about one run of a project.
SELECT * FROM runs WHERE project = ? AND id = ?;

-- name: run_costs
-- What the steps of a run used, by metric.
SELECT name, sum(value) AS total FROM metrics
 WHERE run_id = ? AND name IN ('tokens', 'cost') GROUP BY name;

-- name: run_first_event
-- Numbers the event that notes a draft.
UPDATE runs SET seq = 1 WHERE id = ?;

-- name: runs_list
-- Runs of a project, the newest first, filtered and paged by id (ids sort by time).
SELECT * FROM runs
 WHERE project = :project AND id < :before
   AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
   AND (:flow IS NULL OR flow = :flow) AND (:queue IS NULL OR queue = :queue)
ORDER BY id DESC LIMIT :limit;

-- name: runs_like
-- Runs of a project whose ids start with a text.
SELECT id FROM runs WHERE project = :project AND id >= :start AND id < :end LIMIT 2;

-- name: run_inputs
-- Sets the inputs of a draft that is about to be queued.
UPDATE runs SET inputs = ? WHERE id = ? AND state = 'draft';

-- name: runs_moved
-- Runs whose last event is not older than a moment: of the newest, of those that somebody holds or
-- that wait, and of those that are named.
SELECT runs.*, events.at AS moved_at FROM runs
  JOIN events ON events.run_id = runs.id AND events.seq = runs.seq
 WHERE runs.project = :project AND events.at >= :since AND runs.id IN (
   SELECT id FROM (SELECT id FROM runs WHERE project = :project ORDER BY id DESC LIMIT :newest)
   UNION SELECT id FROM runs WHERE state IN ('claimed', 'running')
   UNION SELECT id FROM runs WHERE state IN ('retrying', 'waiting') AND ready = 0
   UNION SELECT value FROM json_each(:named))
ORDER BY events.at, runs.id LIMIT :limit;

-- name: runs_by_state
-- How many runs of a project are in each state that does not end it, by queue.
SELECT state, queue, count(*) AS count FROM runs
 WHERE project = ? AND state IN ('draft', 'queued', 'claimed', 'running', 'waiting', 'retrying')
GROUP BY state, queue ORDER BY state, queue;
