-- Members that are gone: silent for longer than they are kept, or forgotten. SQLite can't change the
-- rule of a column: the table is made anew.

CREATE TABLE member_gone (
  name BLOB NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 253),
  -- Advertised address exactly as received; 16 bytes may be a mapped IPv4 address.
  underlay BLOB NOT NULL CHECK (length(underlay) IN (4, 16)),
  gossip_port INTEGER NOT NULL CHECK (gossip_port BETWEEN 0 AND 65535),
  incarnation INTEGER NOT NULL CHECK (incarnation BETWEEN 0 AND 4294967295),
  state TEXT NOT NULL CHECK (state IN ('alive', 'suspect', 'failed', 'left', 'gone')),
  state_since_ms INTEGER NOT NULL,
  first_seen_ms INTEGER NOT NULL,
  -- Its metadata: all three columns, or none when it announced nothing valid.
  meta_overlay BLOB CHECK (length(meta_overlay) IN (4, 16)),
  meta_key BLOB CHECK (length(meta_key) = 32),
  meta_format TEXT CHECK (meta_format IN ('F1', 'F2', 'F3')),
  -- What follows for this host, and why.
  standing TEXT NOT NULL CHECK (standing IN ('configured', 'seed', 'refused')),
  reason TEXT NOT NULL,
  -- Its signed record: all five columns, or none when it signs nothing (the Go program). Public key
  -- (Ed25519); number of the record, which grows with every change; when it claimed its overlay
  -- address; number of the start of its program; 1: it left by `wesher leave`. The two numbers are
  -- 8 bytes in network order.
  identity BLOB CHECK (length(identity) = 32),
  epoch BLOB CHECK (length(epoch) = 8),
  claimed_ms INTEGER,
  instance BLOB CHECK (length(instance) = 8),
  for_good INTEGER CHECK (for_good IN (0, 1)),
  CHECK ((meta_overlay IS NULL) = (meta_key IS NULL)),
  CHECK ((meta_overlay IS NULL) = (meta_format IS NULL)),
  CHECK ((identity IS NULL) = (epoch IS NULL)),
  CHECK ((identity IS NULL) = (claimed_ms IS NULL)),
  CHECK ((identity IS NULL) = (instance IS NULL)),
  CHECK ((identity IS NULL) = (for_good IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO member_gone SELECT * FROM member;

DROP TABLE member;

ALTER TABLE member_gone RENAME TO member;
