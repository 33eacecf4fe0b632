-- name: artifact_touch
-- Notes that the bytes are wanted now; the collector leaves them alone for an hour.
INSERT INTO artifacts (hash, size, touched_at) VALUES (?, ?, ?)
ON CONFLICT (hash) DO UPDATE SET touched_at = excluded.touched_at;

-- name: artifacts_unused
-- Blobs that no run, no cached output and no schedule's version names, touched before the given
-- moment.
SELECT hash FROM artifacts
 WHERE touched_at < ?
   AND hash NOT IN (SELECT hash FROM run_artifacts)
   AND hash NOT IN (
     SELECT json_extract(output.value, '$.artifact') FROM cache, json_each(cache.outputs) AS output
      WHERE json_extract(output.value, '$.artifact') IS NOT NULL)
   AND NOT EXISTS (
     SELECT 1 FROM schedules JOIN flow_versions USING (project, version)
      WHERE instr(flow_versions.definition, artifacts.hash) > 0);

-- name: artifacts_forget
-- Forgets those of the given blobs that are still unused.
DELETE FROM artifacts
 WHERE hash IN (SELECT value FROM json_each(:hashes)) AND touched_at < :before
   AND hash NOT IN (SELECT hash FROM run_artifacts)
   AND hash NOT IN (
     SELECT json_extract(output.value, '$.artifact') FROM cache, json_each(cache.outputs) AS output
      WHERE json_extract(output.value, '$.artifact') IS NOT NULL)
   AND NOT EXISTS (
     SELECT 1 FROM schedules JOIN flow_versions USING (project, version)
      WHERE instr(flow_versions.definition, artifacts.hash) > 0)
RETURNING hash, size;

-- name: run_artifact_put
-- Notes which run needs which blob, and what for.
INSERT INTO run_artifacts (run_id, step, role, name, hash, size, media_type)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run_id, step, role, name) DO UPDATE SET
  hash = excluded.hash, size = excluded.size, media_type = excluded.media_type;

-- name: run_files
-- The files that a run made for people, by step and name.
SELECT step, name, hash, size, media_type FROM run_artifacts
 WHERE run_id = ? AND role = 'file' ORDER BY step, name;

-- name: artifact_of
-- What a run of the project knows about a blob; that it is a file for people comes first.
SELECT named.step, named.name, named.hash, named.size, named.media_type
  FROM run_artifacts AS named JOIN runs ON runs.id = named.run_id
 WHERE named.hash = :hash AND runs.project = :project ORDER BY named.role <> 'file' LIMIT 1;
