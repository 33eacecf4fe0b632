-- name: schedule_put
-- Writes a new schedule.
INSERT INTO schedules (id, project, name, target, version, inputs, kind, rule, zone, starts_at,
                       ends_at, catchup, overlap, jitter_s, options, next_due, next_fire, seen,
                       created_at, changed_at)
VALUES (:id, :project, :name, :target, :version, :inputs, :kind, :rule, :zone, :starts_at,
        :ends_at, :catchup, :overlap, :jitter_s, :options, :next_due, :next_fire, :seen,
        :now, :now);

-- name: schedule_edit
-- Replaces what a schedule does; a paused one has no moments.
UPDATE schedules SET
  name = :name, target = :target, version = :version, inputs = :inputs, kind = :kind, rule = :rule,
  zone = :zone, starts_at = :starts_at, ends_at = :ends_at, catchup = :catchup, overlap = :overlap,
  jitter_s = :jitter_s, options = :options, next_due = iif(paused, NULL, :next_due),
  next_fire = iif(paused, NULL, :next_fire), seen = :seen, changed_at = :now
WHERE id = :id;

-- name: schedule_pause
-- Pauses a schedule, or lets it go on from its next moment, if nobody has changed it meanwhile.
UPDATE schedules SET paused = :paused, next_due = :next_due, next_fire = :next_fire, seen = :seen,
  changed_at = :now
WHERE id = :id AND changed_at = :known;

-- name: schedule_advance
-- Moves a schedule on to its next moment, if nobody has moved, edited or paused it meanwhile.
UPDATE schedules SET next_due = :next_due, next_fire = :next_fire, last_due = :last_due
WHERE id = :id AND next_due = :due AND changed_at = :changed_at AND paused = 0;

-- name: schedule_saw
-- Notes which files are there now, if nobody has noted, edited or paused it meanwhile.
UPDATE schedules SET seen = :seen, last_due = coalesce(:last_due, last_due)
WHERE id = :id AND seen IS :known AND changed_at = :changed_at AND paused = 0;

-- name: schedule_drop
-- Deletes a schedule.
DELETE FROM schedules WHERE id = ?;

-- name: schedule_by_id
-- A schedule of a project by its id.
SELECT * FROM schedules WHERE project = ? AND id = ?;

-- name: schedule_by_name
-- A schedule of a project by its id or name.
SELECT * FROM schedules WHERE project = :project AND (id = :ref OR name = :ref)
ORDER BY id = :ref DESC;

-- name: schedules_like
-- Schedules of a project whose ids start with a text.
SELECT * FROM schedules WHERE project = :project AND id >= :start AND id < :end LIMIT 2;

-- name: schedules_all
-- Every schedule of a project, the next to fire first.
SELECT * FROM schedules WHERE project = ? ORDER BY next_fire IS NULL, next_fire, name;

-- name: schedules_due
-- What is to fire by now, in that order, after a schedule and its moment.
SELECT id, name, next_due, next_fire FROM schedules
 WHERE paused = 0 AND next_fire IS NOT NULL AND next_fire <= :now AND project = :project
   AND next_fire >= :at AND (next_fire > :at OR id > :after)
ORDER BY next_fire, id LIMIT :limit;

-- name: schedules_moments
-- When something is to fire next; 0 stands for all that has not fired though its moment was handled.
SELECT DISTINCT CASE WHEN next_fire <= :handled THEN 0 ELSE next_fire END AS moment FROM schedules
 WHERE paused = 0 AND next_fire IS NOT NULL AND next_fire <= :horizon AND project = :project
ORDER BY moment LIMIT :limit;

-- name: schedules_of_files
-- The schedules that look at files now.
SELECT * FROM schedules
 WHERE project = :project AND kind = 'file' AND paused = 0
   AND (starts_at IS NULL OR starts_at <= :now) AND (ends_at IS NULL OR ends_at >= :now)
ORDER BY id;

-- name: scheduled_last
-- The last run of a schedule.
SELECT id, state FROM runs WHERE id IN (
  (SELECT id FROM runs WHERE schedule_id = :id ORDER BY due_at DESC LIMIT 1),
  (SELECT max(id) FROM runs WHERE schedule_id = :id AND due_at IS NULL))
ORDER BY id DESC LIMIT 1;

-- name: scheduled_open
-- The runs of a schedule that have not ended.
SELECT id, state FROM runs
 WHERE schedule_id = ? AND schedule_id IS NOT NULL
   AND state IN ('queued', 'claimed', 'running', 'waiting', 'retrying')
ORDER BY id;

-- name: scheduled_at
-- The run that was made for one moment of a schedule.
SELECT id FROM runs WHERE schedule_id = ? AND due_at = ?;

-- name: miss_put
-- Notes that no run was made for a moment, and why.
INSERT INTO schedule_misses (schedule_id, due_at, reason, message, noted_at)
VALUES (:schedule_id, :due_at, :reason, :message, :noted_at) ON CONFLICT DO NOTHING;

-- name: misses_trim
-- Forgets all but the newest thousand of a schedule.
DELETE FROM schedule_misses WHERE schedule_id = :id AND due_at < (
  SELECT due_at FROM schedule_misses WHERE schedule_id = :id
  ORDER BY due_at DESC LIMIT 1 OFFSET 999);

-- name: misses_drop
-- Forgets those of a schedule that is deleted.
DELETE FROM schedule_misses WHERE schedule_id = ?;

-- name: misses_list
-- Moments without a run, the newest first.
SELECT schedule_misses.*, schedules.name
  FROM schedule_misses JOIN schedules ON schedules.id = schedule_misses.schedule_id
 WHERE schedules.project = :project AND (:id IS NULL OR schedules.id = :id)
ORDER BY due_at DESC, name LIMIT :limit;

-- name: misses_grouped
-- Moments that were missed, not left out by choice: those of one schedule that were noted at once
-- together, with why the newest was, the earliest noted first.
SELECT schedule_id, name, target, noted_at, count(*) AS count, min(due_at) AS first_due,
       max(due_at) AS last_due,
       (SELECT message FROM schedule_misses AS newest
         WHERE newest.schedule_id = noted.schedule_id AND newest.noted_at = noted.noted_at
           AND newest.reason <> 'overlap'
        ORDER BY due_at DESC LIMIT 1) AS message
  FROM schedule_misses AS noted JOIN schedules ON schedules.id = noted.schedule_id
 WHERE (:project IS NULL OR schedules.project = :project) AND (:id IS NULL OR schedule_id = :id)
   AND noted_at BETWEEN :since AND :until AND reason <> 'overlap'
GROUP BY schedule_id, noted_at ORDER BY noted_at, name LIMIT :limit;

-- name: server_put
-- Notes a process that serves the workspace.
INSERT INTO servers (owner, kind, address, started_at, seen_at)
VALUES (:owner, :kind, :address, :now, :now);

-- name: server_seen
-- Notes that it is still there.
UPDATE servers SET seen_at = :now WHERE owner = :owner;

-- name: server_stopped
-- Notes that it ended in order.
UPDATE servers SET seen_at = :now, stopped_at = :now WHERE owner = :owner;

-- name: servers_all
-- Every process that serves or served, the latest first.
SELECT * FROM servers ORDER BY seen_at DESC, owner;

-- name: server_drop
-- Forgets one.
DELETE FROM servers WHERE owner = ?;
