-- name: limits_full
-- The queues and flows of which as many runs are held as may be.
SELECT kind, subject FROM limits WHERE value <= (
  SELECT count(*) FROM runs WHERE state IN ('claimed', 'running')
     AND CASE limits.kind WHEN 'queue' THEN queue ELSE flow END = limits.subject);

-- name: claim_next
-- The next due run of the wanted queues: the best one of each queue, then the best of these.
-- Flows that are full are passed over, and runs that go after another which has not ended.
SELECT id FROM runs WHERE id IN (
  SELECT (SELECT best.id FROM runs AS best
           WHERE best.state = 'queued' AND best.ready = 1 AND best.queue = wanted.value
             AND best.flow NOT IN (SELECT value FROM json_each(:full_flows))
             AND (best.serial = '' OR NOT EXISTS (
               SELECT 1 FROM runs AS begun
                WHERE begun.serial = best.serial AND begun.id <> best.id
                  AND begun.serial <> '' AND begun.fence > 0
                  AND begun.state IN ('queued', 'claimed', 'running', 'waiting', 'retrying')))
           ORDER BY best.priority, best.run_at, best.id LIMIT 1)
    FROM json_each(:queues) AS wanted)
ORDER BY priority, run_at, id LIMIT 1;

-- name: run_goes_after
-- The run that must end before this one may begin.
SELECT begun.id FROM runs AS begun
 WHERE begun.serial = (SELECT serial FROM runs WHERE id = :id) AND begun.id <> :id
   AND begun.serial <> '' AND begun.fence > 0
   AND begun.state IN ('queued', 'claimed', 'running', 'waiting', 'retrying');

-- name: claim_body
-- What a worker needs to execute a run.
SELECT runs.project, runs.source, runs.version, runs.inputs, runs.retry_of, runs.rerun,
       runs.use_cache, runs.timeout, runs.budget, flow_versions.definition
  FROM runs JOIN flow_versions USING (project, version) WHERE runs.id = ?;

-- name: next_due
-- When the first run that is not due yet will be.
SELECT min(run_at) AS due FROM (
  SELECT min(run_at) AS run_at FROM runs WHERE state = 'queued' AND ready = 0
  UNION ALL
  SELECT min(run_at) FROM runs WHERE state IN ('retrying', 'waiting') AND ready = 0);

-- name: ready
-- Notes which queued runs have become due.
UPDATE runs SET ready = 1 WHERE state = 'queued' AND ready = 0 AND run_at <= ?;

-- name: resting_due
-- Runs whose backoff is over, or for which a moment that they wait for has come.
SELECT id FROM runs
 WHERE state IN ('retrying', 'waiting') AND ready = 0 AND run_at <= ? ORDER BY run_at, id;

-- name: held_by
-- The runs that an owner holds.
SELECT id, cancel_requested FROM runs
 WHERE state IN ('claimed', 'running') AND owner = ? ORDER BY id;

-- name: lost_by
-- The runs that were taken from an owner and that it does not hold again.
SELECT id FROM runs WHERE lost_by <> '' AND lost_by = :owner AND owner <> :owner ORDER BY id;

-- name: held
-- Every run that somebody holds, with its lease.
SELECT id, owner, lease_boot, lease_until FROM runs
 WHERE state IN ('claimed', 'running') ORDER BY id;

-- name: beat
-- Prolongs the leases of an owner's runs.
UPDATE runs SET lease_until = :until
 WHERE state IN ('claimed', 'running') AND owner = :owner AND lease_boot = :boot;

-- name: private_queues
-- The queues of single kernels that have runs waiting.
SELECT DISTINCT queue FROM runs
 WHERE state = 'queued' AND queue >= 'kernel:' AND queue < 'kernel;';

-- name: queued_in
-- The runs that wait in one queue.
SELECT id FROM runs WHERE state = 'queued' AND queue = ? ORDER BY priority, run_at, id;
