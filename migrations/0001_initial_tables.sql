-- The first tables.

CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  key_file_id TEXT NOT NULL
    CHECK (length(key_file_id) = 32 AND key_file_id NOT GLOB '*[^0-9a-f]*'),
  adopting INTEGER NOT NULL CHECK (adopting IN (0, 1))
) STRICT;

CREATE TABLE self (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  name BLOB NOT NULL CHECK (length(name) BETWEEN 1 AND 253),
  interface TEXT NOT NULL CHECK (length(interface) BETWEEN 1 AND 15),
  overlay BLOB NOT NULL CHECK (length(overlay) IN (4, 16)),
  overlay_net BLOB NOT NULL CHECK (length(overlay_net) IN (4, 16)),
  overlay_net_length INTEGER NOT NULL
    CHECK (overlay_net_length BETWEEN 0 AND 8 * length(overlay_net)),
  key BLOB NOT NULL CHECK (length(key) = 32),
  cluster TEXT NOT NULL,
  underlay TEXT NOT NULL,
  gossip_port INTEGER NOT NULL CHECK (gossip_port BETWEEN 0 AND 65535),
  wireguard_port INTEGER NOT NULL CHECK (wireguard_port BETWEEN 0 AND 65535),
  meta_format TEXT NOT NULL CHECK (meta_format IN ('F1', 'F2', 'F3')),
  backend TEXT NOT NULL,
  version TEXT NOT NULL,
  pid INTEGER NOT NULL CHECK (pid BETWEEN 0 AND 4294967295),
  started_ms INTEGER NOT NULL,
  stopped_ms INTEGER,
  stop_kind TEXT NOT NULL CHECK (stop_kind IN ('', 'leave', 'keep', 'resign'))
) STRICT;

CREATE TABLE member (
  name BLOB NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 253),
  underlay BLOB NOT NULL CHECK (length(underlay) IN (4, 16)),
  gossip_port INTEGER NOT NULL CHECK (gossip_port BETWEEN 0 AND 65535),
  incarnation INTEGER NOT NULL CHECK (incarnation BETWEEN 0 AND 4294967295),
  state TEXT NOT NULL CHECK (state IN ('alive', 'suspect', 'failed', 'left')),
  state_since_ms INTEGER NOT NULL,
  first_seen_ms INTEGER NOT NULL,
  meta_overlay BLOB CHECK (length(meta_overlay) IN (4, 16)),
  meta_key BLOB CHECK (length(meta_key) = 32),
  meta_format TEXT CHECK (meta_format IN ('F1', 'F2', 'F3')),
  standing TEXT NOT NULL CHECK (standing IN ('configured', 'seed', 'refused')),
  reason TEXT NOT NULL,
  CHECK ((meta_overlay IS NULL) = (meta_key IS NULL)),
  CHECK ((meta_overlay IS NULL) = (meta_format IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE option (
  name TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE desired (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  generation INTEGER NOT NULL CHECK (generation >= 1),
  interface TEXT NOT NULL CHECK (length(interface) BETWEEN 1 AND 15),
  key BLOB NOT NULL CHECK (length(key) = 32),
  listen_port INTEGER NOT NULL CHECK (listen_port BETWEEN 0 AND 65535),
  overlay BLOB NOT NULL CHECK (length(overlay) IN (4, 16)),
  mtu INTEGER CHECK (mtu BETWEEN 0 AND 4294967295),
  hosts INTEGER NOT NULL CHECK (hosts IN (0, 1)),
  own_name BLOB NOT NULL CHECK (length(own_name) <= 253)
) STRICT;

CREATE TABLE desired_peer (
  name BLOB NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 253),
  key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),
  overlay BLOB NOT NULL UNIQUE CHECK (length(overlay) IN (4, 16)),
  endpoint BLOB NOT NULL CHECK (length(endpoint) IN (4, 16)),
  endpoint_port INTEGER NOT NULL CHECK (endpoint_port BETWEEN 0 AND 65535),
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE applied (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  generation INTEGER NOT NULL CHECK (generation >= 0),
  at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE applied_failure (
  object TEXT NOT NULL PRIMARY KEY,
  detail TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL CHECK (attempts BETWEEN 1 AND 4294967295)
) STRICT, WITHOUT ROWID;

CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  object TEXT NOT NULL,
  what TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;

CREATE TABLE health (
  kind TEXT NOT NULL CHECK (kind IN ('seed', 'foreign_packets', 'member')),
  subject TEXT NOT NULL,
  ok INTEGER NOT NULL CHECK (ok IN (0, 1)),
  detail TEXT NOT NULL,
  count INTEGER NOT NULL CHECK (count >= 0),
  since_ms INTEGER NOT NULL,
  PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE request (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL
    CHECK (length(kind) BETWEEN 1 AND 32 AND kind NOT GLOB '*[^a-z -]*'),
  arguments TEXT NOT NULL CHECK (length(arguments) <= 4096),
  uid INTEGER NOT NULL CHECK (uid BETWEEN 0 AND 4294967295),
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL CHECK (expires_ms - created_ms BETWEEN 0 AND 60000),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'refused', 'expired')),
  result TEXT NOT NULL
) STRICT;

CREATE INDEX request_waiting ON request (id) WHERE state = 'waiting';
