-- name: rule_put
-- Writes a new rule.
INSERT INTO notification_rules (id, project, flow, events, channel, target, secret, quiet, group_s,
                                late_s, created_at)
VALUES (:id, :project, :flow, :events, :channel, :target, :secret, :quiet, :group_s,
        :late_s, :now);

-- name: rule_by_id
-- A rule of a project by its id.
SELECT * FROM notification_rules WHERE project = ? AND id = ?;

-- name: rules_like
-- Rules of a project whose ids start with a text.
SELECT * FROM notification_rules WHERE project = :project AND id >= :start AND id < :end LIMIT 2;

-- name: rules_all
-- Every rule of a project, the oldest first.
SELECT * FROM notification_rules WHERE project = ? ORDER BY created_at, id;

-- name: rule_pause
-- Pauses a rule, or lets it go on.
UPDATE notification_rules SET paused = ? WHERE id = ?;

-- name: rule_drop
-- Deletes a rule.
DELETE FROM notification_rules WHERE id = ?;

-- name: rule_counts
-- What became of a rule's notifications, and the newest trouble with one.
SELECT count(sent_at) AS sent, count(due) AS pending,
       count(*) - count(sent_at) - count(due) AS given_up,
       (SELECT error FROM notifications
         WHERE rule_id = :id AND error <> '' AND sent_at IS NULL
        ORDER BY made_at DESC, run_id DESC LIMIT 1) AS error
  FROM notifications WHERE rule_id = :id;

-- name: notifications_drop
-- Forgets what a rule told.
DELETE FROM notifications WHERE rule_id = ?;

-- name: notifications_note
-- Notes, for every rule that wants it, what a change of a run makes worth telling: the change
-- itself, and that a scheduled run began late. Runs of a kernel are watched by whoever runs them.
INSERT INTO notifications (rule_id, run_id, event, since, made_at, due)
SELECT rule_id, run_id, event, since, :now, :now FROM (
  SELECT rules.id AS rule_id, runs.id AS run_id, wanted.value AS event,
         CASE wanted.value WHEN 'waiting' THEN (
           SELECT max(opened_at) FROM waits
            WHERE waits.run_id = runs.id AND answered_at IS NULL
              AND waits.kind NOT IN ('delay', 'until')) ELSE 0 END AS since
    FROM runs CROSS JOIN notification_rules AS rules CROSS JOIN json_each(rules.events) AS wanted
   WHERE runs.id = :run_id AND (runs.queue < 'kernel:' OR runs.queue >= 'kernel;')
     AND rules.project = runs.project AND rules.flow IN ('', runs.flow) AND rules.paused = 0
     AND (wanted.value = :event OR wanted.value = 'late' AND runs.schedule_id IS NOT NULL
          AND coalesce(runs.started_at, :now) - runs.due_at > rules.late_s))
 WHERE since IS NOT NULL
ON CONFLICT DO NOTHING;

-- name: notifications_note_missed
-- Notes, for every rule that wants it, that moments of a schedule were missed: once for all that
-- are noted together. The schedule stands where the run of other notifications does.
INSERT INTO notifications (rule_id, run_id, event, since, made_at, due)
SELECT rules.id, schedules.id, 'missed', :now, :now, :now
  FROM schedules CROSS JOIN notification_rules AS rules
 WHERE schedules.id = :schedule_id AND rules.project = schedules.project
   AND rules.flow IN ('', schedules.target) AND rules.paused = 0
   AND 'missed' IN (SELECT value FROM json_each(rules.events))
ON CONFLICT DO NOTHING;

-- name: late_runs
-- Scheduled runs that are late by some rule which has not been noted, and have not ended.
SELECT DISTINCT runs.id
  FROM runs INDEXED BY runs_scheduled CROSS JOIN notification_rules AS rules
 WHERE rules.project = runs.project AND rules.flow IN ('', runs.flow) AND rules.paused = 0
   AND 'late' IN (SELECT value FROM json_each(rules.events))
   AND runs.schedule_id IS NOT NULL
   AND runs.state IN ('queued', 'claimed', 'running', 'waiting', 'retrying')
   AND coalesce(runs.started_at, :now) - runs.due_at > rules.late_s
   AND NOT EXISTS (SELECT 1 FROM notifications AS known
                    WHERE known.rule_id = rules.id AND known.run_id = runs.id
                      AND known.event = 'late')
LIMIT 1000;

-- name: rules_due
-- The rules that have something to send by now.
SELECT DISTINCT rule_id FROM notifications WHERE due IS NOT NULL AND due <= ? ORDER BY rule_id;

-- name: rule_of
-- One rule, whatever its project.
SELECT * FROM notification_rules WHERE id = ?;

-- name: message_open
-- The message of a rule that is on its way: one at a time.
SELECT message, due FROM notifications INDEXED BY notifications_of
 WHERE rule_id = ? AND message IS NOT NULL AND due IS NOT NULL LIMIT 1;

-- name: message_form
-- Puts the oldest notifications of a rule into a message.
UPDATE notifications SET message = :message
 WHERE rule_id = :rule_id AND message IS NULL AND due IS NOT NULL
   AND (run_id, event, since) IN (
     SELECT run_id, event, since FROM notifications INDEXED BY notifications_of
      WHERE rule_id = :rule_id AND message IS NULL AND due IS NOT NULL AND due <= :now
     ORDER BY made_at, run_id, event, since LIMIT :limit);

-- name: message_take
-- Takes a message to send it; nobody else does before `due`.
UPDATE notifications INDEXED BY notifications_of SET attempts = attempts + 1, due = :due
 WHERE rule_id = :rule_id AND message = :message AND due IS NOT NULL;

-- name: message_parts
-- What a message tells.
SELECT run_id, event, since, made_at, attempts FROM notifications INDEXED BY notifications_of
 WHERE rule_id = :rule_id AND message = :message AND due IS NOT NULL
ORDER BY made_at, run_id, event, since;

-- name: message_sent
-- Notes that a message was sent.
UPDATE notifications INDEXED BY notifications_of SET sent_at = :now, due = NULL, error = ''
 WHERE rule_id = :rule_id AND message = :message AND due IS NOT NULL;

-- name: rule_sent
-- Notes that a rule sent something.
UPDATE notification_rules SET sent_at = :now WHERE id = :rule_id;

-- name: message_failed
-- Notes why a message could not be sent, and when it is tried again; never, without a moment.
UPDATE notifications INDEXED BY notifications_of SET due = :due, error = :error
 WHERE rule_id = :rule_id AND message = :message AND due IS NOT NULL;

-- name: notification_settle
-- Notes why there is nothing to tell any more.
UPDATE notifications SET due = NULL, error = :reason
 WHERE rule_id = :rule_id AND run_id = :run_id AND event = :event AND since = :since;

-- name: notifications_settle
-- Notes the same of all that a rule has not told.
UPDATE notifications SET due = NULL, error = :reason WHERE rule_id = :rule_id AND due IS NOT NULL;

-- name: notifications_hold
-- Lets a rule send nothing before a moment.
UPDATE notifications INDEXED BY notifications_of SET due = :due
 WHERE rule_id = :rule_id AND due IS NOT NULL AND due < :due;

-- name: notifications_release
-- Lets a rule look again at what it holds.
UPDATE notifications INDEXED BY notifications_of SET due = :now
 WHERE rule_id = :rule_id AND due IS NOT NULL AND due > :now;

-- name: notifications_trim
-- Forgets what was told long ago.
DELETE FROM notifications WHERE due IS NULL AND made_at < ?;

-- name: last_said
-- The last things that a step and what is nested in it wrote, the newest first.
SELECT body FROM events
 WHERE run_id = :run_id AND kind IN ('step_log', 'cell_output')
   AND (json_extract(body, '$.step') = :step
        OR json_extract(body, '$.step') >= :step || '/'
           AND json_extract(body, '$.step') < :step || '0')
   AND coalesce(json_extract(body, '$.stream'), '') <> 'progress'
ORDER BY seq DESC LIMIT :limit;

-- name: run_any
-- What is told of a run, whatever its project.
SELECT id, flow, state, error, due_at, started_at, ended_at FROM runs WHERE id = ?;
