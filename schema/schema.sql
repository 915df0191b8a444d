-- The whole database of one interface at its newest version. migrations/ ends at exactly these
-- tables, and a test compares the two.
--
-- No secret is in here: private and cluster keys are in the key file beside it. It can be thrown
-- away; the daemon fills a new one from the key file, the device and the mesh.
--
-- Conventions: *_ms is wall-clock time in milliseconds since 1970-01-01T00:00:00Z. Addresses are 4
-- or 16 bytes in network order, keys are 32 bytes. Member names are BLOBs: a peer may have chosen
-- any bytes. Tables with a column `one` have at most one row.
-- PRAGMA user_version is the schema version, PRAGMA application_id is 0x77736872 ("wshr").

-- What the database itself is.
CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  -- Id of the key file it was made for; with another one it is moved aside.
  key_file_id TEXT NOT NULL
    CHECK (length(key_file_id) = 32 AND key_file_id NOT GLOB '*[^0-9a-f]*'),
  -- 1 while what exists in kernel and hosts file is left alone, because the facts are not complete.
  adopting INTEGER NOT NULL CHECK (adopting IN (0, 1))
) STRICT;

-- What the daemon says of its own node, for the reading commands.
CREATE TABLE self (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  name BLOB NOT NULL CHECK (length(name) BETWEEN 1 AND 253),
  interface TEXT NOT NULL CHECK (length(interface) BETWEEN 1 AND 15),
  -- Own overlay address; NULL: this host has none, because none is free.
  overlay BLOB CHECK (length(overlay) IN (4, 16)),
  -- When it was claimed; NULL without one, and until it was announced first.
  claimed_ms INTEGER,
  -- Overlay network: address and prefix length.
  overlay_net BLOB NOT NULL CHECK (length(overlay_net) IN (4, 16)),
  overlay_net_length INTEGER NOT NULL
    CHECK (overlay_net_length BETWEEN 0 AND 8 * length(overlay_net)),
  -- WireGuard public key.
  key BLOB NOT NULL CHECK (length(key) = 32),
  -- Public key under which the own record is signed (Ed25519).
  identity BLOB NOT NULL CHECK (length(identity) = 32),
  -- Fingerprint of the cluster key, for people: "3f9a-c2e1".
  cluster TEXT NOT NULL,
  -- Announced underlay address as text; empty before it is known.
  underlay TEXT NOT NULL,
  gossip_port INTEGER NOT NULL CHECK (gossip_port BETWEEN 0 AND 65535),
  wireguard_port INTEGER NOT NULL CHECK (wireguard_port BETWEEN 0 AND 65535),
  -- The metadata format that we speak.
  meta_format TEXT NOT NULL CHECK (meta_format IN ('F1', 'F2', 'F3')),
  -- What carries the tunnels: "kernel WireGuard", "wireguard-go".
  backend TEXT NOT NULL,
  -- Version of the program that wrote the row.
  version TEXT NOT NULL,
  pid INTEGER NOT NULL CHECK (pid BETWEEN 0 AND 4294967295),
  started_ms INTEGER NOT NULL,
  -- Set at an orderly stop, NULL while running and after a crash.
  stopped_ms INTEGER,
  stop_kind TEXT NOT NULL CHECK (stop_kind IN ('', 'leave', 'keep', 'resign')),
  -- What keeps this host out of the mesh: "10.9.0.0/29 is full (6 of 6)"; empty if nothing does.
  kept_out TEXT NOT NULL,
  CHECK (overlay IS NOT NULL OR claimed_ms IS NULL)
) STRICT;

-- Facts: every other member that the mesh knows.
CREATE TABLE member (
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

-- Effective options of the daemon, named as on the command line; no secrets.
CREATE TABLE option (
  name TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Desired state of this host: the interface.
CREATE TABLE desired (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  -- Rises by one with each change of this row or of a row of desired_peer.
  generation INTEGER NOT NULL CHECK (generation >= 1),
  interface TEXT NOT NULL CHECK (length(interface) BETWEEN 1 AND 15),
  key BLOB NOT NULL CHECK (length(key) = 32),
  listen_port INTEGER NOT NULL CHECK (listen_port BETWEEN 0 AND 65535),
  -- All zero: no address.
  overlay BLOB NOT NULL CHECK (length(overlay) IN (4, 16)),
  -- NULL: no --mtu, a difference is left alone.
  mtu INTEGER CHECK (mtu BETWEEN 0 AND 4294967295),
  -- Whether the hosts file gets lines.
  hosts INTEGER NOT NULL CHECK (hosts IN (0, 1)),
  -- Never gets a hosts line from us.
  own_name BLOB NOT NULL CHECK (length(own_name) <= 253),
  -- Persistent keepalive of every peer in seconds, 0 = off. NULL: what peers have is left alone.
  keepalive INTEGER CHECK (keepalive BETWEEN 0 AND 65535)
) STRICT;

-- Desired state of this host: one peer, route and hosts line a member.
CREATE TABLE desired_peer (
  name BLOB NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 253),
  -- One key, one peer; one address, one owner.
  key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),
  overlay BLOB NOT NULL UNIQUE CHECK (length(overlay) IN (4, 16)),
  endpoint BLOB NOT NULL CHECK (length(endpoint) IN (4, 16)),
  endpoint_port INTEGER NOT NULL CHECK (endpoint_port BETWEEN 0 AND 65535),
  -- Why it is wanted.
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the reconcile loop reached.
CREATE TABLE applied (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  -- Desired generation that the last full pass reached, and when it first did.
  generation INTEGER NOT NULL CHECK (generation >= 0),
  at_ms INTEGER NOT NULL
) STRICT;

-- Objects whose last attempt failed; a success deletes the row.
CREATE TABLE applied_failure (
  object TEXT NOT NULL PRIMARY KEY,
  detail TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  -- Failures in a row.
  attempts INTEGER NOT NULL CHECK (attempts BETWEEN 1 AND 4294967295)
) STRICT, WITHOUT ROWID;

-- What happened, newest last; the oldest rows go when there are more than 10,000.
CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  -- "member db1", "peer web1", "link", "daemon", …
  object TEXT NOT NULL,
  -- "alive -> failed", "added", …
  what TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;

-- What others changed and we repaired, one row an object; the rows found longest ago go when there
-- are more than 1,000.
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

-- Layers with a problem, and seeds: lets `status` say which layer is broken. The rows of each kind
-- that changed longest ago go when there are too many.
CREATE TABLE health (
  kind TEXT NOT NULL CHECK (kind IN ('seed', 'foreign_packets', 'member')),
  -- Seed endpoint, source address or member name.
  subject TEXT NOT NULL,
  ok INTEGER NOT NULL CHECK (ok IN (0, 1)),
  detail TEXT NOT NULL,
  count INTEGER NOT NULL CHECK (count >= 0),
  since_ms INTEGER NOT NULL,
  PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

-- What commands ask of the daemon. Who may write this file may ask; the daemon checks each row as
-- it checks a packet, and never runs an expired one.
CREATE TABLE request (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL
    CHECK (length(kind) BETWEEN 1 AND 32 AND kind NOT GLOB '*[^a-z -]*'),
  -- A JSON object; that it is one is asked when it is added and taken (json_valid may not be used in
  -- a schema that is not trusted).
  arguments TEXT NOT NULL CHECK (length(arguments) <= 4096),
  -- Who asked.
  uid INTEGER NOT NULL CHECK (uid BETWEEN 0 AND 4294967295),
  created_ms INTEGER NOT NULL,
  -- At most 60 s later.
  expires_ms INTEGER NOT NULL CHECK (expires_ms - created_ms BETWEEN 0 AND 60000),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'refused', 'expired')),
  -- The daemon's answer, empty before there is one.
  result TEXT NOT NULL
) STRICT;

-- The daemon looks for waiting requests after every commit of another connection.
CREATE INDEX request_waiting ON request (id) WHERE state = 'waiting';
