-- What every memory holds. No primary keys on what grows: an index would double the file, and
-- a scan of one compressed column of a million rows takes about a millisecond.

-- Facts about the file itself: schema, created, workspace.
CREATE TABLE meta (
    key   VARCHAR PRIMARY KEY,
    value VARCHAR NOT NULL
);

-- Whose a memory is; '' means nobody's in particular.
CREATE TABLE scopes (
    scope   INTEGER PRIMARY KEY,
    project VARCHAR NOT NULL,
    agent   VARCHAR NOT NULL,
    user_   VARCHAR NOT NULL,
    thread  VARCHAR NOT NULL,
    UNIQUE (project, agent, user_, thread)
);

-- Every write, by the moment at which it was recorded: no two share one.
CREATE TABLE batches (
    batch  BIGINT NOT NULL,
    moment DOUBLE NOT NULL, -- seconds since the epoch; the recorded_from, recorded_to of its rows
    verb   VARCHAR NOT NULL,
    undoes BIGINT NOT NULL  -- the batch that it takes back, or 0
);

-- What was told, verbatim; only ever appended.
CREATE TABLE episodes (
    seq         BIGINT NOT NULL,
    id          VARCHAR NOT NULL,
    scope       INTEGER NOT NULL,
    role        VARCHAR NOT NULL,
    body        VARCHAR NOT NULL,
    meta        VARCHAR,           -- JSON
    run_id      VARCHAR NOT NULL,
    node_id     VARCHAR NOT NULL,
    said_at     DOUBLE NOT NULL,
    recorded_at DOUBLE NOT NULL,
    sha256      BLOB NOT NULL      -- of the body
);

-- Versions of memories; only recorded_to ever changes, and only once.
CREATE TABLE items (
    n             BIGINT NOT NULL, -- rises with writing
    id            VARCHAR NOT NULL,
    version       INTEGER NOT NULL,
    scope         INTEGER NOT NULL,
    kind          VARCHAR NOT NULL,
    subject       VARCHAR NOT NULL,
    predicate     VARCHAR NOT NULL,
    body          VARCHAR NOT NULL,
    value         VARCHAR,         -- JSON
    confidence    FLOAT NOT NULL,
    importance    FLOAT NOT NULL,
    valid_from    DOUBLE NOT NULL,
    valid_to      DOUBLE NOT NULL, -- 'infinity' is open
    recorded_from DOUBLE NOT NULL,
    recorded_to   DOUBLE NOT NULL, -- 'infinity' is open
    supersedes    BIGINT NOT NULL, -- the n of the version before, or 0
    expires_at    DOUBLE NOT NULL, -- 'infinity' is never
    tags          VARCHAR[] NOT NULL,
    episode       BIGINT NOT NULL, -- seq, or 0
    role          VARCHAR NOT NULL,
    said_at       DOUBLE NOT NULL,
    source        VARCHAR NOT NULL,
    doclen        INTEGER NOT NULL, -- terms of the text
    said          UBIGINT NOT NULL, -- equal in texts that say the same
    band0         UINTEGER,        -- long texts that say almost the same share one of three
    band1         UINTEGER,
    band2         UINTEGER
);

-- From which episode, and which part of it (characters), a version comes, and how.
CREATE TABLE provenance (
    item      BIGINT NOT NULL, -- items.n
    episode   BIGINT NOT NULL, -- episodes.seq
    span_from INTEGER NOT NULL,
    span_to   INTEGER NOT NULL,
    method    VARCHAR NOT NULL, -- verbatim, same, supersede, or what a consolidation is called
    model     VARCHAR NOT NULL,
    batch     BIGINT NOT NULL
);

-- Terms of texts; df counts the versions that stand. The one index: new words become rare.
CREATE TABLE terms (
    term_id INTEGER NOT NULL,
    term    VARCHAR NOT NULL UNIQUE,
    df      INTEGER NOT NULL
);

CREATE TABLE postings (
    term INTEGER NOT NULL, -- terms.term_id
    n    BIGINT NOT NULL,  -- items.n
    tf   USMALLINT NOT NULL
);

-- Versions that stand, and their terms, by scope.
CREATE TABLE totals (
    scope  INTEGER PRIMARY KEY,
    docs   BIGINT NOT NULL,
    length BIGINT NOT NULL
);

-- Models that made vectors; those of model k are in the table emb_k(n, v, b0, ...).
CREATE TABLE models (
    k          INTEGER PRIMARY KEY,
    model      VARCHAR NOT NULL UNIQUE,
    dim        INTEGER NOT NULL,
    is_current BOOLEAN NOT NULL
);

-- What was recalled, so that it is not stored again as new; sha256 of the normalised line.
CREATE TABLE recall_log (
    recalled_at DOUBLE NOT NULL,
    query_hash  UBIGINT NOT NULL,
    n           BIGINT NOT NULL,
    sha256      BLOB NOT NULL
);

-- How often, and when last, a version was recalled.
CREATE TABLE uses (
    n         BIGINT NOT NULL,
    last_used DOUBLE NOT NULL,
    uses      INTEGER NOT NULL
);
