-- name: runs_logging
-- Runs of a project that may have written something since a moment, the newest first.
SELECT id, flow FROM runs
 WHERE project = :project AND id < :before AND (:run_id IS NULL OR id = :run_id)
   AND (:flow IS NULL OR flow = :flow)
   AND (:since IS NULL OR ended_at IS NULL OR ended_at >= :since)
ORDER BY id DESC LIMIT :limit;

-- name: logs_after
-- What a run's steps and the cells of its notebooks wrote after an event and since a moment.
SELECT seq, body FROM events
 WHERE run_id = :run_id AND seq > :after AND (:since IS NULL OR at >= :since)
   AND (kind = 'step_log'
        OR kind = 'cell_output' AND json_extract(body, '$.output.output_type') = 'stream')
ORDER BY seq LIMIT :limit;
