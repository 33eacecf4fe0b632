-- What a timeline reads. {allowed} stands for the statement of search.sql.

-- name: timeline
-- What may be seen, said before a moment (of the same moment, written before a row), newest first.
WITH allowed AS ({allowed})
SELECT n FROM allowed WHERE said_at < $at OR (said_at = $at AND n < $row)
ORDER BY said_at DESC, n DESC LIMIT $limit

-- name: timeline_ever
-- The same of each memory that ever stood, by the version that stands, or stood last.
WITH ever AS (
    SELECT n, said_at FROM items
    WHERE recorded_from <= $recorded AND valid_from < $until AND valid_to > $since
      AND ($everywhere OR scope IN (
          SELECT scope FROM scopes
          WHERE $project IN ('', project) AND $agent IN ('', agent)
            AND $user IN ('', user_) AND $thread IN ('', thread)))
      AND (len($kinds::VARCHAR[]) = 0 OR kind IN (SELECT unnest($kinds::VARCHAR[])))
      AND (len($tags::VARCHAR[]) = 0 OR list_has_all(tags, $tags::VARCHAR[]))
      AND $subject IN ('', subject)
    QUALIFY row_number() OVER (
        PARTITION BY id ORDER BY recorded_to DESC, valid_from DESC, n DESC) = 1
)
SELECT n FROM ever WHERE said_at < $at OR (said_at = $at AND n < $row)
ORDER BY said_at DESC, n DESC LIMIT $limit
