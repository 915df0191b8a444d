-- Signed records of members, and an own overlay address that can change or be missing. SQLite can't
-- add a rule to a table or take one away: two tables are made anew.

-- The row of before says nothing of an identity; the daemon writes it at its start.
DROP TABLE self;

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

CREATE TABLE member_signed (
  name BLOB NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 253),
  -- Advertised address exactly as received; 16 bytes may be a mapped IPv4 address.
  underlay BLOB NOT NULL CHECK (length(underlay) IN (4, 16)),
  gossip_port INTEGER NOT NULL CHECK (gossip_port BETWEEN 0 AND 65535),
  incarnation INTEGER NOT NULL CHECK (incarnation BETWEEN 0 AND 4294967295),
  state TEXT NOT NULL CHECK (state IN ('alive', 'suspect', 'failed', 'left')),
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

INSERT INTO member_signed
  SELECT name, underlay, gossip_port, incarnation, state, state_since_ms, first_seen_ms,
    meta_overlay, meta_key, meta_format, standing, reason, NULL, NULL, NULL, NULL, NULL FROM member;

DROP TABLE member;

ALTER TABLE member_signed RENAME TO member;

-- Persistent keepalive of every peer in seconds, 0 = off. NULL: what peers have is left alone.
ALTER TABLE desired ADD COLUMN keepalive INTEGER CHECK (keepalive BETWEEN 0 AND 65535);
