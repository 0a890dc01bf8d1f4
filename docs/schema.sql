-- instance/soinbox.sqlite

CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");

CREATE TABLE account_attempts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  side TEXT NOT NULL,
  at TEXT NOT NULL,
  ok INTEGER NOT NULL,
  code TEXT NOT NULL DEFAULT '',
  line TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX account_attempts_by_account ON account_attempts(account_id, id);

CREATE TABLE account_hours (
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  hour TEXT NOT NULL,
  arrived INTEGER NOT NULL DEFAULT 0,
  latest_seconds INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE account_secrets (
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  side TEXT NOT NULL CHECK (side IN ('imap', 'smtp', 'oauth')),
  sealed TEXT NOT NULL,
  PRIMARY KEY (account_id, side)
) STRICT;

CREATE TABLE account_status (
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  side TEXT NOT NULL CHECK (side IN ('imap', 'smtp')),
  last_success_at TEXT,
  last_attempt_at TEXT,
  next_retry_at TEXT,
  consecutive_failures INTEGER NOT NULL DEFAULT 0,
  problem TEXT,
  mode TEXT NOT NULL DEFAULT '', alive_at TEXT,
  PRIMARY KEY (account_id, side)
) STRICT;

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  address TEXT NOT NULL COLLATE NOCASE,
  name TEXT NOT NULL DEFAULT '',
  provider TEXT NOT NULL DEFAULT '',
  generation INTEGER NOT NULL DEFAULT 1,
  auth TEXT NOT NULL DEFAULT 'password' CHECK (auth IN ('password', 'oauth2')),
  issuer TEXT NOT NULL DEFAULT '',
  consented_at TEXT NOT NULL DEFAULT '',
  imap_host TEXT NOT NULL,
  imap_port INTEGER NOT NULL,
  imap_security TEXT NOT NULL CHECK (imap_security IN ('ssl', 'starttls', 'none')),
  imap_username TEXT NOT NULL,
  imap_pin TEXT NOT NULL DEFAULT '',
  smtp_host TEXT,
  smtp_port INTEGER,
  smtp_security TEXT CHECK (smtp_security IN ('ssl', 'starttls', 'none')),
  smtp_username TEXT,
  smtp_pin TEXT NOT NULL DEFAULT '',
  files_sent_copy TEXT NOT NULL DEFAULT 'unknown' CHECK (files_sent_copy IN ('yes', 'no', 'unknown')),
  paused INTEGER NOT NULL DEFAULT 0,
  sync_days INTEGER,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  UNIQUE (user_id, address)
) STRICT;

CREATE TABLE actions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('flag', 'move', 'copy', 'delete', 'append', 'expunge')),
  folder TEXT NOT NULL,
  uidvalidity INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  arguments TEXT NOT NULL DEFAULT '{}',
  content BLOB,
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'claimed', 'done', 'failed', 'cancelled')),
  attempts INTEGER NOT NULL DEFAULT 0,
  not_before TEXT NOT NULL,
  claimed_by TEXT,
  problem TEXT,
  created_at TEXT NOT NULL,
  finished_at TEXT
, came_to TEXT) STRICT;

CREATE INDEX actions_by_message ON actions(account_id, folder, uidvalidity, uid, state);

CREATE INDEX actions_open ON actions(account_id, state, id);

CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  user_id INTEGER,
  account_id INTEGER,
  event TEXT NOT NULL,
  detail TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE buckets (
  name TEXT PRIMARY KEY,
  tokens REAL NOT NULL,
  filled_at TEXT NOT NULL
) STRICT;

CREATE TABLE changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  topic TEXT NOT NULL,
  user_id INTEGER,
  account_id INTEGER,
  detail TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX changes_by_time ON changes(at);

CREATE TABLE detection_cache (
  source TEXT NOT NULL,
  domain TEXT NOT NULL,
  answer TEXT,
  stored_at TEXT NOT NULL,
  PRIMARY KEY (source, domain)
) STRICT;

CREATE TABLE draft_attachments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  draft_id INTEGER NOT NULL REFERENCES drafts(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  size INTEGER NOT NULL,
  content BLOB NOT NULL
) STRICT;

CREATE TABLE drafts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  account_id INTEGER REFERENCES accounts(id) ON DELETE SET NULL,
  compose_token TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL DEFAULT 'new' CHECK (kind IN ('new', 'reply', 'reply_all', 'forward')),
  to_text TEXT NOT NULL DEFAULT '',
  cc_text TEXT NOT NULL DEFAULT '',
  bcc_text TEXT NOT NULL DEFAULT '',
  subject TEXT NOT NULL DEFAULT '',
  body TEXT NOT NULL DEFAULT '',
  source_key TEXT NOT NULL DEFAULT '',
  in_reply_to TEXT NOT NULL DEFAULT '',
  reference_ids TEXT NOT NULL DEFAULT '[]',
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;

CREATE INDEX drafts_by_user ON drafts(user_id, updated_at);

CREATE TABLE fallen (
  part TEXT NOT NULL PRIMARY KEY,
  count INTEGER NOT NULL,
  again_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE invitations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token_hash TEXT NOT NULL UNIQUE,
  address TEXT NOT NULL DEFAULT '',
  name TEXT NOT NULL DEFAULT '',
  is_admin INTEGER NOT NULL DEFAULT 0,
  created_by INTEGER REFERENCES users(id) ON DELETE SET NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  used_at TEXT
) STRICT;

CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  heartbeat_at TEXT NOT NULL
) STRICT;

CREATE TABLE oauth_consents (
  state_hash TEXT PRIMARY KEY,
  session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
  attempt TEXT NOT NULL,
  sealed TEXT NOT NULL,
  expires_at TEXT NOT NULL
) STRICT;

CREATE TABLE options (
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (user_id, name)
) STRICT;

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  draft_id INTEGER,
  compose_token TEXT NOT NULL UNIQUE,
  message_id TEXT NOT NULL,
  subject TEXT NOT NULL DEFAULT '',
  envelope_from TEXT NOT NULL,
  recipients TEXT NOT NULL,
  wire BLOB NOT NULL,
  sent_copy BLOB NOT NULL,
  answers_key TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL CHECK (state IN ('held', 'sending', 'sent', 'failed', 'uncertain', 'cancelled')),
  phase TEXT NOT NULL DEFAULT 'queued' CHECK (phase IN ('queued', 'connected', 'dot', 'answered')),
  attempts INTEGER NOT NULL DEFAULT 0,
  not_before TEXT NOT NULL,
  claimed_by TEXT,
  claimed_at TEXT,
  problem TEXT,
  created_at TEXT NOT NULL,
  finished_at TEXT
) STRICT;

CREATE INDEX outbox_due ON outbox(state, not_before);

CREATE TABLE own_servers ( account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE, name TEXT NOT NULL, domains TEXT NOT NULL, seen_at TEXT NOT NULL, PRIMARY KEY (account_id, name)) STRICT;

CREATE TABLE person_addresses (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  person_id INTEGER NOT NULL REFERENCES persons(id) ON DELETE CASCADE,
  address TEXT NOT NULL COLLATE NOCASE,
  rank INTEGER NOT NULL CHECK (rank >= 1),
  UNIQUE (person_id, address)
) STRICT;

CREATE INDEX person_addresses_by_address ON person_addresses(address);

CREATE TABLE persons (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  first_name TEXT NOT NULL DEFAULT '',
  last_name TEXT NOT NULL DEFAULT '',
  title TEXT NOT NULL DEFAULT '',
  company TEXT NOT NULL DEFAULT '',
  phone TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE refused_secrets (
  fingerprint TEXT PRIMARY KEY,
  problem TEXT NOT NULL,
  user_id INTEGER,
  host TEXT NOT NULL DEFAULT '',
  login TEXT NOT NULL DEFAULT '',
  refused_at TEXT NOT NULL
) STRICT;

CREATE INDEX refused_secrets_by_host ON refused_secrets(host, refused_at);

CREATE INDEX refused_secrets_by_login ON refused_secrets(login, refused_at);

CREATE TABLE requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('body', 'refresh', 'open_folder', 'search', 'texts')),
  subject TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed')),
  problem TEXT,
  created_at TEXT NOT NULL,
  finished_at TEXT
) STRICT;

CREATE INDEX requests_open ON requests(state, account_id);

CREATE TABLE sessions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  token_hash TEXT NOT NULL UNIQUE,
  user_agent TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL,
  last_seen_at TEXT NOT NULL
) STRICT;

CREATE INDEX sessions_by_user ON sessions(user_id);

CREATE TABLE setup_attempts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  account_id INTEGER,
  address TEXT NOT NULL,
  step TEXT NOT NULL CHECK
    (step IN ('finding', 'password', 'consent', 'connecting', 'advanced', 'done', 'cancelled')),
  detection TEXT,
  imap TEXT,
  smtp TEXT,
  sealed TEXT,
  purpose TEXT NOT NULL DEFAULT 'found' CHECK (purpose IN ('found', 'typed', 'test_imap', 'test_smtp')),
  accepted_hosts TEXT NOT NULL DEFAULT '[]',
  problems TEXT NOT NULL DEFAULT '[]',
  claimed_at TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  expires_at TEXT NOT NULL
) STRICT;

CREATE INDEX setup_attempts_by_user ON setup_attempts(user_id);

CREATE TABLE setup_stages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  attempt_id INTEGER NOT NULL REFERENCES setup_attempts(id) ON DELETE CASCADE,
  side TEXT NOT NULL,
  stage TEXT NOT NULL,
  ok INTEGER,
  ms INTEGER NOT NULL DEFAULT 0,
  detail TEXT NOT NULL DEFAULT '',
  at TEXT NOT NULL
) STRICT;

CREATE INDEX setup_stages_by_attempt ON setup_stages(attempt_id, id);

CREATE TABLE trusted_senders (
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  address TEXT NOT NULL COLLATE NOCASE,
  created_at TEXT NOT NULL,
  PRIMARY KEY (user_id, address)
) STRICT;

CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  address TEXT NOT NULL UNIQUE COLLATE NOCASE,
  name TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  is_admin INTEGER NOT NULL DEFAULT 0,
  language TEXT NOT NULL DEFAULT '',
  timezone TEXT NOT NULL DEFAULT '',
  person_id INTEGER NOT NULL UNIQUE REFERENCES persons(id),
  created_at TEXT NOT NULL
) STRICT;

-- instance/mailboxes/*.sqlite

CREATE TABLE bodies (
  message_rowid INTEGER PRIMARY KEY REFERENCES messages(id) ON DELETE CASCADE,
  packed BLOB NOT NULL,
  size INTEGER NOT NULL,
  fetched_at TEXT NOT NULL,
  object_id TEXT
) STRICT;

CREATE INDEX bodies_by_object ON bodies(object_id) WHERE object_id IS NOT NULL;

CREATE INDEX bodies_by_size ON bodies(size);

CREATE TABLE changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  topic TEXT NOT NULL,
  user_id INTEGER,
  account_id INTEGER,
  detail TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE facts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE folders (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  wire TEXT NOT NULL,
  delimiter TEXT NOT NULL DEFAULT '',
  role TEXT NOT NULL DEFAULT '',
  selectable INTEGER NOT NULL DEFAULT 1,
  uidvalidity INTEGER NOT NULL DEFAULT 0,
  uidnext INTEGER NOT NULL DEFAULT 0,
  highestmodseq INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT 0,
  stored INTEGER NOT NULL DEFAULT 0,
  aside INTEGER NOT NULL DEFAULT 0,
  unread INTEGER NOT NULL DEFAULT 0,
  rebuilds INTEGER NOT NULL DEFAULT 0,
  synced_at TEXT NOT NULL DEFAULT '',
  swept_at TEXT NOT NULL DEFAULT '',
  problem TEXT
) STRICT;

CREATE TABLE found (
  query TEXT NOT NULL,
  folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
  uid INTEGER NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (query, folder_id, uid)
) STRICT, WITHOUT ROWID;

CREATE TABLE kept_bodies (
  folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
  message_id TEXT NOT NULL,
  message_size INTEGER NOT NULL,
  date TEXT,
  packed BLOB NOT NULL,
  size INTEGER NOT NULL,
  text TEXT NOT NULL,
  fetched_at TEXT NOT NULL
) STRICT;

CREATE TABLE loose_bodies (
  object_id TEXT PRIMARY KEY,
  packed BLOB NOT NULL,
  size INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;

CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
  uid INTEGER NOT NULL,
  sort_at TEXT NOT NULL,
  flags TEXT NOT NULL,
  seen INTEGER NOT NULL,
  size INTEGER NOT NULL,
  date TEXT,
  internal_date TEXT,
  subject TEXT NOT NULL,
  sender_name TEXT NOT NULL,
  sender_address TEXT NOT NULL,
  sort_sender TEXT NOT NULL,
  sort_subject TEXT NOT NULL,
  correspondents TEXT NOT NULL,
  message_id TEXT NOT NULL,
  in_reply_to TEXT NOT NULL,
  reference_ids TEXT NOT NULL,
  thread_id INTEGER,
  preview TEXT,
  has_attachments INTEGER NOT NULL,
  has_invitation INTEGER NOT NULL,
  UNIQUE (folder_id, uid)
) STRICT;

CREATE INDEX messages_by_date ON messages(folder_id);

CREATE INDEX messages_by_message_id ON messages(message_id);

CREATE INDEX messages_by_sender ON messages(folder_id, sort_sender);

CREATE INDEX messages_by_subject ON messages(folder_id, sort_subject);

CREATE INDEX messages_by_thread ON messages(thread_id);

CREATE INDEX messages_never_read_whole ON messages(folder_id) WHERE preview IS NULL;

CREATE INDEX messages_unread ON messages(folder_id) WHERE seen = 0;

CREATE INDEX messages_with_attachment ON messages(folder_id) WHERE has_attachments = 1;

CREATE VIRTUAL TABLE search USING fts5 (
  subject, correspondents, body, tokenize="unicode61 remove_diacritics 2"
);

CREATE TABLE 'search_config'(k PRIMARY KEY, v) WITHOUT ROWID;

CREATE TABLE 'search_content'(id INTEGER PRIMARY KEY, c0, c1, c2);

CREATE TABLE 'search_data'(id INTEGER PRIMARY KEY, block BLOB);

CREATE TABLE 'search_docsize'(id INTEGER PRIMARY KEY, sz BLOB);

CREATE TABLE 'search_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;

CREATE VIRTUAL TABLE search_terms USING fts5vocab(search, instance);

CREATE TABLE set_aside (
  folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
  uid INTEGER NOT NULL,
  reason TEXT NOT NULL,
  version TEXT NOT NULL,
  day TEXT NOT NULL DEFAULT '',
  sender TEXT NOT NULL DEFAULT '',
  subject TEXT NOT NULL DEFAULT '',
  date TEXT,
  size INTEGER NOT NULL DEFAULT 0,
  source BLOB,
  PRIMARY KEY (folder_id, uid)
) STRICT;

CREATE TABLE thread_links (
  message_id TEXT PRIMARY KEY,
  thread_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX thread_links_by_thread ON thread_links(thread_id);

CREATE TABLE unread_texts (
  message_rowid INTEGER PRIMARY KEY REFERENCES bodies(message_rowid) ON DELETE CASCADE
) STRICT;
