-- name: load_ids
-- Which of the memories and episodes to be loaded are new here; numbers are shifted by what is here.
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT n, n + $items AS here
  FROM read_parquet($source || '/items.parquet', hive_partitioning = false)
 WHERE id NOT IN (SELECT id FROM items);

-- name: load_scopes
-- Scopes that are not here yet.
INSERT INTO scopes
SELECT $scopes + row_number() OVER (ORDER BY s.scope), s.project, s.agent, s.user_, s.thread
  FROM read_parquet($source || '/scopes.parquet', hive_partitioning = false) AS s
  ANTI JOIN scopes USING (project, agent, user_, thread);

-- name: load_totals
INSERT INTO totals SELECT scope, 0, 0 FROM scopes ANTI JOIN totals USING (scope);

-- name: load_scope_numbers
-- The numbers that their scopes have here.
CREATE OR REPLACE TEMP TABLE scope_numbers AS
SELECT s.scope, here.scope AS here
  FROM read_parquet($source || '/scopes.parquet', hive_partitioning = false) AS s
  JOIN scopes AS here USING (project, agent, user_, thread);

-- name: load_terms
-- Terms that are not here yet.
INSERT INTO terms
SELECT $terms + row_number() OVER (ORDER BY t.term_id), t.term, 0
  FROM read_parquet($source || '/terms.parquet', hive_partitioning = false) AS t
  ANTI JOIN terms USING (term);

-- name: load_batches
INSERT INTO batches
SELECT batch + $batches, moment, verb, CASE WHEN undoes = 0 THEN 0 ELSE undoes + $batches END
  FROM read_parquet($source || '/batches.parquet', hive_partitioning = false)
 WHERE moment NOT IN (SELECT moment FROM batches);

-- name: load_episodes
INSERT INTO episodes
SELECT e.seq + $episodes, e.id, m.here, e.role, e.body, e.meta, e.run_id, e.node_id, e.said_at,
       e.recorded_at, e.sha256, md5_number_lower(e.id)
  FROM read_parquet($source || '/episodes.parquet', hive_partitioning = false) AS e
  JOIN scope_numbers AS m USING (scope)
 WHERE e.id NOT IN (SELECT id FROM episodes);

-- name: load_batch_numbers
-- The numbers that their batches have here; a batch is known by its moment.
CREATE OR REPLACE TEMP TABLE batch_numbers AS
SELECT b.batch, here.batch AS here
  FROM read_parquet($source || '/batches.parquet', hive_partitioning = false) AS b
  JOIN batches AS here USING (moment);

-- name: load_episode_numbers
-- The numbers that their episodes have here.
CREATE OR REPLACE TEMP TABLE episode_numbers AS
SELECT e.seq, here.seq AS here
  FROM read_parquet($source || '/episodes.parquet', hive_partitioning = false) AS e
  JOIN episodes AS here USING (id);

-- name: load_items
INSERT INTO items
SELECT f.here, i.id, i.version, m.here, i.kind, i.subject, i.predicate, i.body, i.value,
       i.confidence, i.importance, i.valid_from, i.valid_to, i.recorded_from, i.recorded_to,
       coalesce(before.here, 0), i.expires_at, i.tags, coalesce(e.here, 0), i.role, i.said_at,
       i.source, i.doclen, i.said, i.band0, i.band1, i.band2,
       md5_number_lower(i.id)
  FROM read_parquet($source || '/items.parquet', hive_partitioning = false) AS i
  JOIN fresh AS f USING (n) JOIN scope_numbers AS m USING (scope)
  LEFT JOIN fresh AS before ON before.n = i.supersedes
  LEFT JOIN episode_numbers AS e ON e.seq = i.episode
 ORDER BY f.here;

-- name: load_provenance
INSERT INTO provenance
SELECT f.here, coalesce(e.here, 0), p.span_from, p.span_to, p.method, p.model, coalesce(b.here, 0)
  FROM read_parquet($source || '/provenance.parquet', hive_partitioning = false) AS p
  JOIN fresh AS f ON f.n = p.item
  LEFT JOIN episode_numbers AS e ON e.seq = p.episode
  LEFT JOIN batch_numbers AS b USING (batch);

-- name: load_postings
INSERT INTO postings
SELECT here.term_id, f.here, p.tf
  FROM read_parquet($source || '/postings.parquet', hive_partitioning = false) AS p
  JOIN fresh AS f USING (n)
  JOIN read_parquet($source || '/terms.parquet', hive_partitioning = false) AS t ON t.term_id = p.term
  JOIN terms AS here ON here.term = t.term
 ORDER BY f.here;

-- name: load_df
-- Count in how many more texts each term is.
UPDATE terms SET df = terms.df + more.texts
  FROM (SELECT p.term, count(*)::INTEGER AS texts FROM postings AS p
          JOIN items AS i ON i.n = p.n AND i.recorded_to = 'infinity'
         WHERE i.n > $items GROUP BY p.term) AS more
 WHERE terms.term_id = more.term;

-- name: load_counts
-- Count how many more texts and terms stand in each scope.
UPDATE totals SET docs = totals.docs + more.docs, length = totals.length + more.length
  FROM (SELECT scope, count(*) AS docs, sum(doclen)::BIGINT AS length FROM items
         WHERE n > $items AND recorded_to = 'infinity' GROUP BY scope) AS more
 WHERE totals.scope = more.scope;

-- name: loaded
-- How many rows were loaded.
SELECT (SELECT count(*) FROM items WHERE n > $items),
       (SELECT count(*) FROM episodes WHERE seq > $episodes);
