-- name: wait_put
-- Opens a wait; one that is open or answered stays as it is, one that was left is open again.
INSERT INTO waits (run_id, step, key, node, kind, name, message, form, due, opened_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run_id, step, key) DO UPDATE SET answered_at = NULL, outcome = NULL
WHERE outcome = 'left';

-- name: wait_get
-- One wait.
SELECT * FROM waits WHERE run_id = ? AND step = ? AND key = ?;

-- name: waits_of
-- Every wait of a run that was not left, in the order in which they were opened.
SELECT * FROM waits WHERE run_id = ? AND (outcome IS NULL OR outcome <> 'left')
ORDER BY opened_at, step, key;

-- name: waits_open
-- The waits of a run that have not ended, in the order in which they were opened.
SELECT * FROM waits WHERE run_id = ? AND answered_at IS NULL ORDER BY opened_at, step, key;

-- name: waits_open_in
-- The same of several runs.
SELECT * FROM waits WHERE answered_at IS NULL AND run_id IN (SELECT value FROM json_each(?))
ORDER BY opened_at, step, key;

-- name: waits_named
-- The open waits of a run that a signal ends, the oldest first.
SELECT * FROM waits WHERE run_id = ? AND name = ? AND answered_at IS NULL
ORDER BY opened_at, step, key;

-- name: waits_due
-- The open waits of a run whose moment has come.
SELECT * FROM waits WHERE run_id = ? AND answered_at IS NULL AND due <= ? ORDER BY due, step, key;

-- name: waits_answered
-- How many waits of a run have ended with an outcome; how many are open, and when the first of
-- these ends by itself.
SELECT count(answered_at) AS answered, count(*) - count(answered_at) AS open,
       min(CASE WHEN answered_at IS NULL THEN due END) AS due
  FROM waits WHERE run_id = ? AND (outcome IS NULL OR outcome <> 'left');

-- name: answers
-- How the waits of a run ended, in order.
SELECT step, key, outcome, answer, answered_by, reason, answered_at FROM waits
 WHERE run_id = ? AND answered_at IS NOT NULL AND outcome <> 'left'
ORDER BY answered_at, step, key;

-- name: wait_end
-- Ends a wait, once.
UPDATE waits SET answered_at = :at, outcome = :outcome, answer = :answer,
  answered_by = :by, reason = :reason
 WHERE run_id = :run_id AND step = :step AND key = :key AND answered_at IS NULL;

-- name: wait_leave
-- Notes that a step no longer waits for something.
UPDATE waits SET answered_at = ?, outcome = 'left'
 WHERE run_id = ? AND step = ? AND key = ? AND answered_at IS NULL;

-- name: waits_settled
-- Notes the same of the steps of a run that are settled.
UPDATE waits SET answered_at = ?, outcome = 'left'
 WHERE run_id = ? AND answered_at IS NULL
   AND step IN (SELECT step FROM steps WHERE steps.run_id = waits.run_id AND outcome IS NOT NULL);

-- name: waits_left
-- Notes the same of a whole run.
UPDATE waits SET answered_at = ?, outcome = 'left' WHERE run_id = ? AND answered_at IS NULL;

-- name: step_resumed
-- Says of a step that it goes on, unless it waits for something else as well.
UPDATE steps SET state = 'running'
 WHERE run_id = :run_id AND step = :step AND state = 'waiting'
   AND NOT EXISTS (SELECT 1 FROM waits
                    WHERE waits.run_id = :run_id AND waits.step = :step AND answered_at IS NULL);

-- name: journal_extend
-- Numbers one more event of a run, whoever holds it.
UPDATE runs SET seq = seq + 1 WHERE id = ? RETURNING seq;

-- name: signal_put
-- Keeps a signal; the second one with the same mark changes nothing.
INSERT INTO signals (id, run_id, name, payload, sender, sent_at, dedupe)
VALUES (:id, :run_id, :name, :payload, :sender, :sent_at, :dedupe) ON CONFLICT DO NOTHING;

-- name: signals_early
-- The signals of a name that no wait has taken, the oldest first.
SELECT id, payload, sender FROM signals
 WHERE run_id = ? AND name = ? AND step IS NULL ORDER BY sent_at, id;

-- name: signal_take
-- Notes which wait took a signal.
UPDATE signals SET step = ?, key = ? WHERE id = ? AND step IS NULL;
