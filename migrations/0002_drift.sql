-- What others changed and we repaired, one row an object.
CREATE TABLE drift (
  -- "link", "peer web1", "route 10.0.0.3/32", "hosts", as in history.
  object TEXT NOT NULL PRIMARY KEY,
  -- The last difference as history tells it, and its reason.
  what TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- Repairs since the database was made.
  count INTEGER NOT NULL CHECK (count >= 1),
  -- When it was found last.
  at_ms INTEGER NOT NULL,
  -- From the notice to the end of the last repair; NULL: not repaired yet.
  repaired_ms INTEGER CHECK (repaired_ms >= 0),
  -- 1: changed back more than 10 times in a minute; repaired with growing pauses.
  fighting INTEGER NOT NULL CHECK (fighting IN (0, 1))
) STRICT, WITHOUT ROWID;
