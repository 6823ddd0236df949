/* store_sql.h - the schema and every statement, in one place. Values are bound, never pasted. */
#ifndef STORE_SQL_H
#define STORE_SQL_H

/* Row n takes the schema from version n to n + 1; rows are never edited, only added. */
static const char *const migrations[] = {
	"CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE challenge_keys (id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL, made INTEGER NOT NULL);"
	"CREATE TABLE hosts ("
	" id TEXT PRIMARY KEY, name TEXT NOT NULL, grp TEXT NOT NULL,"
	" enrollment TEXT NOT NULL CHECK (enrollment IN ('active', 'revoked')),"
	" ek TEXT NOT NULL, ek_subject TEXT NOT NULL, ek_not_after INTEGER NOT NULL, ak BLOB NOT NULL UNIQUE,"
	" signer BLOB NOT NULL, spki BLOB NOT NULL, hash INTEGER NOT NULL, banks INTEGER NOT NULL,"
	" enrolled INTEGER NOT NULL, gave_log INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL DEFAULT 0,"
	" verdict TEXT NOT NULL DEFAULT 'none', reason TEXT NOT NULL DEFAULT 'not-attested', ref TEXT NOT NULL DEFAULT '',"
	" refs TEXT NOT NULL DEFAULT '', seen INTEGER NOT NULL DEFAULT 0, boot_id TEXT NOT NULL DEFAULT '',"
	" resets INTEGER NOT NULL DEFAULT 0, restarts INTEGER NOT NULL DEFAULT 0, clock INTEGER NOT NULL DEFAULT 0,"
	" result TEXT NOT NULL DEFAULT '') WITHOUT ROWID;"
	"CREATE UNIQUE INDEX host_name ON hosts (name) WHERE enrollment = 'active';"
	"CREATE UNIQUE INDEX host_ek ON hosts (ek) WHERE enrollment = 'active';"
	"CREATE TABLE enrollments ("
	" id TEXT PRIMARY KEY, name TEXT NOT NULL, host TEXT NOT NULL,"
	" state TEXT NOT NULL CHECK (state IN ('proof', 'pending', 'active', 'rejected', 'revoked')),"
	" secret BLOB NOT NULL, token BLOB, ek TEXT NOT NULL, ek_subject TEXT NOT NULL, ek_not_after INTEGER NOT NULL,"
	" ak BLOB NOT NULL, signer BLOB NOT NULL, spki BLOB NOT NULL, hash INTEGER NOT NULL, banks INTEGER NOT NULL,"
	" created INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX enrollment_name ON enrollments (name) WHERE state = 'pending';"
	"CREATE INDEX enrollment_ak ON enrollments (ak);"
	"CREATE INDEX enrollment_state ON enrollments (state, created);"
	"CREATE TABLE tokens (hash BLOB PRIMARY KEY, expires INTEGER NOT NULL, used_by TEXT) WITHOUT ROWID;"
	"CREATE TABLE challenges (id BLOB PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX challenge_expiry ON challenges (expires);"
	"CREATE TABLE reports ("
	" number INTEGER PRIMARY KEY, ref TEXT NOT NULL UNIQUE, host TEXT NOT NULL REFERENCES hosts (id),"
	" at INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, vouched INTEGER NOT NULL,"
	" replayed INTEGER NOT NULL, log BLOB, bank INTEGER NOT NULL, pcrs INTEGER NOT NULL, boot_id TEXT NOT NULL,"
	" verdict BLOB NOT NULL);"
	"CREATE INDEX report_host ON reports (host, number);"
	"CREATE TABLE logs (number INTEGER PRIMARY KEY, host TEXT NOT NULL REFERENCES hosts (id), digest BLOB NOT NULL,"
	" at INTEGER NOT NULL, UNIQUE (host, digest));"
	"CREATE INDEX log_digest ON logs (digest);"
	"CREATE TABLE sets ("
	" name TEXT NOT NULL, version INTEGER NOT NULL,"
	" state TEXT NOT NULL CHECK (state IN ('candidate', 'active', 'retired', 'revoked')),"
	" digest BLOB NOT NULL, grp TEXT NOT NULL, host TEXT NOT NULL, origin TEXT NOT NULL, report TEXT NOT NULL,"
	" entries INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, body BLOB NOT NULL,"
	" PRIMARY KEY (name, version));"
	"CREATE INDEX set_group ON sets (grp, state);"
	"CREATE TABLE audit ("
	" number INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,"
	" why TEXT NOT NULL, was TEXT NOT NULL, became TEXT NOT NULL, previous BLOB NOT NULL UNIQUE, hash BLOB NOT NULL UNIQUE);"
	"CREATE TRIGGER audit_is_final BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;"
	"CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;",
	"CREATE TABLE policies ("
	" name TEXT NOT NULL, version INTEGER NOT NULL, digest BLOB NOT NULL, created INTEGER NOT NULL, author TEXT NOT NULL,"
	" body BLOB NOT NULL, ima BLOB NOT NULL, PRIMARY KEY (name, version));"
	"CREATE TABLE host_groups (name TEXT PRIMARY KEY, policy TEXT NOT NULL, ceiling TEXT NOT NULL,"
	" ceiling_until INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO host_groups SELECT grp, 'default', 'enforce', 0 FROM hosts UNION SELECT 'default', 'default', 'enforce', 0;"
	"ALTER TABLE reports ADD COLUMN quote BLOB NOT NULL DEFAULT x'';",
	/* Ids are random: in the order of their end, those of one commit share a page, and need no index beside. */
	"CREATE TABLE used_challenges (expires INTEGER NOT NULL, id BLOB NOT NULL, PRIMARY KEY (expires, id)) WITHOUT ROWID;"
	"INSERT INTO used_challenges (expires, id) SELECT expires, id FROM challenges;"
	"DROP TABLE challenges;"
	"ALTER TABLE used_challenges RENAME TO challenges;"
	/* With a rowid a row stays on one page up to 4 KB; without, a result of 1.5 KB has a page of its own. */
	"CREATE TABLE new_hosts ("
	" id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, grp TEXT NOT NULL,"
	" enrollment TEXT NOT NULL CHECK (enrollment IN ('active', 'revoked')),"
	" ek TEXT NOT NULL, ek_subject TEXT NOT NULL, ek_not_after INTEGER NOT NULL, ak BLOB NOT NULL UNIQUE,"
	" signer BLOB NOT NULL, spki BLOB NOT NULL, hash INTEGER NOT NULL, banks INTEGER NOT NULL,"
	" enrolled INTEGER NOT NULL, gave_log INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL DEFAULT 0,"
	" verdict TEXT NOT NULL DEFAULT 'none', reason TEXT NOT NULL DEFAULT 'not-attested', ref TEXT NOT NULL DEFAULT '',"
	" refs TEXT NOT NULL DEFAULT '', seen INTEGER NOT NULL DEFAULT 0, boot_id TEXT NOT NULL DEFAULT '',"
	" resets INTEGER NOT NULL DEFAULT 0, restarts INTEGER NOT NULL DEFAULT 0, clock INTEGER NOT NULL DEFAULT 0,"
	" result TEXT NOT NULL DEFAULT '');"
	"INSERT INTO new_hosts SELECT * FROM hosts;"
	"DROP TABLE hosts;"
	"ALTER TABLE new_hosts RENAME TO hosts;"
	"CREATE UNIQUE INDEX host_name ON hosts (name) WHERE enrollment = 'active';"
	"CREATE UNIQUE INDEX host_ek ON hosts (ek) WHERE enrollment = 'active';",
	"CREATE TABLE ima (host TEXT PRIMARY KEY REFERENCES hosts (id), key BLOB NOT NULL, entries INTEGER NOT NULL,"
	" violations INTEGER NOT NULL, pending INTEGER NOT NULL, refused INTEGER NOT NULL, state BLOB NOT NULL);",
	/* sets that serve their own host alone, and components that are revoked by themselves */
	"ALTER TABLE sets ADD COLUMN own INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE sets ADD COLUMN revoked INTEGER NOT NULL DEFAULT 0;",
	"ALTER TABLE hosts ADD COLUMN class TEXT NOT NULL DEFAULT 'log';",
	"CREATE TABLE allow_lists (name TEXT PRIMARY KEY, digest BLOB NOT NULL, entries INTEGER NOT NULL,"
	" created INTEGER NOT NULL, author TEXT NOT NULL, body BLOB NOT NULL);",
	/* a host's own sets follow it into another group */
	"CREATE INDEX set_host ON sets (host) WHERE own;",
	/* of a group with a part for each of its hosts, a judgement reads what serves the group alone */
	"DROP INDEX set_group;"
	"CREATE INDEX set_fleet ON sets (grp, state) WHERE NOT own;",
	/* changes that wait for others */
	"CREATE TABLE approvals (change TEXT NOT NULL, who TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (change, who))"
	" WITHOUT ROWID;",
	/* who may ask about other hosts, and what hosts show them once */
	"CREATE TABLE gateways (name TEXT PRIMARY KEY, host TEXT NOT NULL, token BLOB NOT NULL UNIQUE, audiences TEXT NOT NULL,"
	" created INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE passports (code BLOB PRIMARY KEY, host TEXT NOT NULL, audience TEXT NOT NULL, user TEXT NOT NULL,"
	" result TEXT NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
	"CREATE INDEX passport_expiry ON passports (expires);",
	"CREATE TABLE leases (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, host TEXT NOT NULL REFERENCES hosts (id),"
	" created INTEGER NOT NULL, expires INTEGER NOT NULL, seconds INTEGER NOT NULL, sequence INTEGER NOT NULL,"
	" overrules INTEGER NOT NULL, user TEXT NOT NULL, services TEXT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL,"
	" ended INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX lease_host ON leases (host, number);"
	"CREATE UNIQUE INDEX lease_code ON leases (host, sequence) WHERE sequence > 0;",
	/* what hosts told afterwards */
	"CREATE TABLE batches (host TEXT PRIMARY KEY REFERENCES hosts (id), batch BLOB NOT NULL, told INTEGER NOT NULL);"
	"CREATE TABLE events (number INTEGER PRIMARY KEY, host TEXT NOT NULL REFERENCES hosts (id), batch BLOB NOT NULL,"
	" told INTEGER NOT NULL, kind TEXT NOT NULL, service TEXT NOT NULL, user TEXT NOT NULL, reason TEXT NOT NULL,"
	" ref TEXT NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);"
	"CREATE INDEX event_host ON events (host, number);"
	"CREATE TABLE host_modes (host TEXT NOT NULL REFERENCES hosts (id), service TEXT NOT NULL, mode TEXT NOT NULL,"
	" told INTEGER NOT NULL, PRIMARY KEY (host, service)) WITHOUT ROWID;",
	/* old ones are dropped */
	"CREATE INDEX report_at ON reports (at);",
	/* a list of what waits says for how many */
	"ALTER TABLE approvals ADD COLUMN needed INTEGER NOT NULL DEFAULT 2;",
};

#define KEY_COLS    "ek, ek_subject, ek_not_after, ak, signer, spki, hash, banks"
#define HOST_COLS   "id, name, grp, enrollment, " KEY_COLS ", enrolled, gave_log, at, verdict, reason, ref, refs," \
	" seen, boot_id, resets, restarts, clock, class"
#define ENROLL_COLS "id, name, host, state, secret, token, " KEY_COLS ", created"
#define REPORT_COLS "ref, host, at, state, reason, vouched, replayed, log, bank, pcrs, boot_id"
#define SET_COLS    "name, version, state, digest, grp, host, origin, report, entries, created, expires, own, revoked"
#define POLICY_COLS "name, version, digest, created, author"
#define GROUP_COLS  "name, policy, ceiling, ceiling_until," \
	" (SELECT count(*) FROM hosts WHERE grp = host_groups.name AND enrollment = 'active')"
#define GATEWAY_COLS "name, host, token, audiences, created"
#define PASSPORT_COLS "code, host, audience, user, expires, result"
#define LEASE_COLS  "id, host, created, expires, seconds, sequence, overrules, user, services, who, why, ended"
#define EVENT_COLS  "kind, service, user, reason, ref, count, first, last, told"
#define AUDIT_COLS  "number, at, who, action, subject, why, was, became, previous, hash"

#define STATEMENTS(X) \
X(BEGIN,            "BEGIN IMMEDIATE") \
X(LOOK,             "BEGIN") \
X(COMMIT,           "COMMIT") \
X(ROLLBACK,         "ROLLBACK") \
X(SECRET_MAKE,      "INSERT INTO secrets (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING") \
X(SECRET,           "SELECT value FROM secrets WHERE name = ?1") \
X(CKEY_NEWEST,      "SELECT id FROM challenge_keys WHERE made > ?1 LIMIT 1") \
X(CKEY_MAKE,        "INSERT INTO challenge_keys (key, made) VALUES (?1, ?2)") \
X(CKEY_FORGET,      "DELETE FROM challenge_keys WHERE made < ?1 AND id < (SELECT max(id) FROM challenge_keys)") \
X(CKEY_FORGET_ALL,  "DELETE FROM challenge_keys") \
X(CKEYS,            "SELECT id, key, made FROM challenge_keys ORDER BY id DESC LIMIT ?1") \
X(HOST_BY_AK,       "SELECT " HOST_COLS " FROM hosts WHERE ak = ?1") \
X(HOST_BY_ID,       "SELECT " HOST_COLS " FROM hosts WHERE id = ?1") \
X(HOST_BY_NAME,     "SELECT " HOST_COLS " FROM hosts WHERE name = ?1 ORDER BY enrollment, enrolled DESC LIMIT 1") \
X(HOST_BY_EK,       "SELECT " HOST_COLS " FROM hosts WHERE ek = ?1 ORDER BY enrollment, enrolled DESC LIMIT 1") \
X(HOSTS,            "SELECT " HOST_COLS " FROM hosts ORDER BY name, enrolled") \
X(HOST_PUT,         "INSERT INTO hosts (id, name, grp, enrollment, " KEY_COLS ", enrolled)" \
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)" \
	" ON CONFLICT (id) DO UPDATE SET ek = ?5, ek_subject = ?6, ek_not_after = ?7, ak = ?8, signer = ?9, spki = ?10," \
	" hash = ?11, banks = ?12, enrolled = ?13, seen = 0") \
X(HOST_CLASS,       "UPDATE hosts SET class = ?2 WHERE id = ?1") \
X(HOST_STATE,       "UPDATE hosts SET enrollment = ?2 WHERE id = ?1") \
X(HOST_GROUP,       "UPDATE hosts SET grp = ?2 WHERE id = ?1") \
X(HOST_NAME,        "UPDATE hosts SET name = ?2 WHERE id = ?1") \
X(HOST_DROP,        "DELETE FROM hosts WHERE id = ?1") \
X(DROP_REPORTS,     "DELETE FROM reports WHERE host = ?1") \
X(DROP_IMA,         "DELETE FROM ima WHERE host = ?1") \
X(DROP_BATCHES,     "DELETE FROM batches WHERE host = ?1") \
X(DROP_EVENTS,      "DELETE FROM events WHERE host = ?1") \
X(DROP_LEASES,      "DELETE FROM leases WHERE host = ?1") \
X(DROP_PASSPORTS,   "DELETE FROM passports WHERE host = ?1") \
X(DROP_GATEWAYS,    "DELETE FROM gateways WHERE host = ?1") \
X(DROP_ENROLLS,     "DELETE FROM enrollments WHERE host = ?1") \
X(DROP_OWN_SETS,    "UPDATE sets SET state = 'retired' WHERE host = ?1 AND own AND state IN ('candidate', 'active')") \
X(HOST_REPORT,      "UPDATE hosts SET gave_log = ?2, at = ?3, verdict = ?4, reason = ?5, ref = ?6, refs = ?7, seen = ?8," \
	" boot_id = ?9, resets = ?10, restarts = ?11, clock = ?12, result = ?13 WHERE id = ?1") \
X(NEWEST,           "SELECT result FROM hosts WHERE id = ?1 AND result <> ''") \
X(ENROLL_ADD,       "INSERT INTO enrollments (" ENROLL_COLS ")" \
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)") \
X(ENROLL,           "SELECT " ENROLL_COLS " FROM enrollments WHERE id = ?1") \
X(ENROLL_PENDING,   "SELECT " ENROLL_COLS " FROM enrollments WHERE name = ?1 AND state = 'pending'") \
X(ENROLL_BY_AK,     "SELECT " ENROLL_COLS " FROM enrollments WHERE ak = ?1 ORDER BY created DESC LIMIT 1") \
X(ENROLL_STATE,     "UPDATE enrollments SET state = ?2 WHERE id = ?1") \
X(ENROLLS_PENDING,  "SELECT " ENROLL_COLS " FROM enrollments WHERE state = 'pending' ORDER BY name") \
X(ENROLLS_PURGE,    "DELETE FROM enrollments WHERE state = 'proof' AND created < ?1") \
X(TOKEN_ADD,        "INSERT INTO tokens (hash, expires) VALUES (?1, ?2)") \
X(TOKEN_GOOD,       "SELECT 1 FROM tokens WHERE hash = ?1 AND expires > ?2 AND used_by IS NULL") \
X(TOKEN_USE,        "UPDATE tokens SET used_by = ?3 WHERE hash = ?1 AND expires > ?2 AND used_by IS NULL") \
X(CHALLENGE_USE,    "INSERT INTO challenges (id, expires) VALUES (?1, ?2) ON CONFLICT DO NOTHING") \
X(CHALLENGES_PURGE, "DELETE FROM challenges WHERE expires < ?1") \
X(REPORT_ADD,       "INSERT INTO reports (" REPORT_COLS ", verdict, quote)" \
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)") \
X(REPORT,           "SELECT " REPORT_COLS ", verdict, quote FROM reports WHERE ref = ?1") \
X(REPORT_REPLAYED,  "SELECT " REPORT_COLS ", verdict, quote FROM reports WHERE host = ?1 AND replayed ORDER BY number DESC LIMIT 1") \
X(REPORTS,          "SELECT " REPORT_COLS " FROM reports WHERE host = ?1 ORDER BY number DESC LIMIT ?2") \
X(REPORTS_TRIM,     "DELETE FROM reports WHERE host = ?1 AND NOT vouched AND number NOT IN" \
	" (SELECT number FROM reports WHERE host = ?1 AND NOT vouched ORDER BY number DESC LIMIT ?2)") \
X(REPORTS_PURGE,    "DELETE FROM reports WHERE number IN (SELECT number FROM reports r WHERE at < ?1" \
	" AND ref NOT IN (SELECT ref FROM hosts WHERE id = r.host) AND (NOT replayed OR EXISTS" \
	" (SELECT 1 FROM reports n WHERE n.host = r.host AND n.number > r.number AND n.replayed)) ORDER BY at LIMIT ?2)") \
X(LOG_KNOWN,        "SELECT 1 FROM logs WHERE host = ?1 AND digest = ?2") \
X(LOG_NOTE,         "INSERT INTO logs (host, digest, at) VALUES (?1, ?2, ?3) ON CONFLICT (host, digest) DO UPDATE SET at = ?3") \
X(LOG_OLDEST,       "SELECT digest FROM logs WHERE host = ?1 ORDER BY at DESC, number DESC LIMIT 1 OFFSET ?2") \
X(LOG_DROP,         "DELETE FROM logs WHERE host = ?1 AND digest = ?2") \
X(LOG_HELD,         "SELECT 1 FROM logs WHERE digest = ?1 LIMIT 1") \
X(IMA,              "SELECT key, entries, violations, pending, refused, state FROM ima WHERE host = ?1") \
X(IMA_PUT,          "INSERT INTO ima (host, key, entries, violations, pending, refused, state)" \
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (host) DO UPDATE SET key = ?2, entries = ?3, violations = ?4," \
	" pending = ?5, refused = ?6, state = ?7 WHERE key <> ?2 OR entries <= ?3") \
X(BATCH_KNOWN,      "SELECT 1 FROM batches WHERE host = ?1 AND batch = ?2 UNION SELECT 1 FROM events WHERE host = ?1 AND batch = ?2") \
X(EVENTS_TOLD,      "SELECT count(*) FROM events WHERE host = ?1 AND told >= ?2 AND told <= ?3") \
X(BATCH_PUT,        "INSERT INTO batches (host, batch, told) VALUES (?1, ?2, ?3) ON CONFLICT (host) DO UPDATE SET batch = ?2, told = ?3") \
X(EVENT_ADD,        "INSERT INTO events (host, batch, " EVENT_COLS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)") \
X(EVENTS_TRIM,      "DELETE FROM events WHERE host = ?1 AND number NOT IN" \
	" (SELECT number FROM events WHERE host = ?1 ORDER BY number DESC LIMIT ?2)") \
X(EVENTS,           "SELECT " EVENT_COLS " FROM events WHERE host = ?1 ORDER BY number DESC LIMIT ?2") \
X(EVENT_SUMS,       "SELECT kind, '', '', '', '', min(sum(count), 4294967295), min(first), max(last), max(told) FROM events WHERE host = ?1" \
	" GROUP BY kind ORDER BY kind") \
X(MODES_DROP,       "DELETE FROM host_modes WHERE host = ?1") \
X(MODE_ADD,         "INSERT INTO host_modes (host, service, mode, told) VALUES (?1, ?2, ?3, ?4)" \
	" ON CONFLICT (host, service) DO UPDATE SET mode = ?3") \
X(MODES,            "SELECT service, mode, told FROM host_modes WHERE host = ?1 ORDER BY service") \
X(SET_ADD,          "INSERT INTO sets (" SET_COLS ", body) VALUES" \
	" (?1, (SELECT coalesce(max(version), 0) + 1 FROM sets WHERE name = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12)" \
	" RETURNING version") \
X(SET,              "SELECT " SET_COLS ", body FROM sets WHERE name = ?1 AND (version = ?2 OR ?2 = 0)" \
	" ORDER BY version DESC LIMIT 1") \
X(SET_STATE,        "UPDATE sets SET state = ?3, revoked = ?4 WHERE name = ?1 AND version = ?2") \
X(SET_EXPIRES,      "UPDATE sets SET expires = ?3 WHERE name = ?1 AND version = ?2") \
X(SETS,             "SELECT " SET_COLS " FROM sets ORDER BY name, version") \
X(SETS_OF,          "SELECT " SET_COLS ", body FROM sets WHERE ((grp = ?1 AND NOT own) OR (host = ?4 AND own)) AND (state = 'revoked' OR" \
	" (state IN ('active', 'candidate') AND (expires = 0 OR expires > ?2)))" \
	" ORDER BY state = 'candidate', state = 'active', host <> ?4, created DESC LIMIT ?3") \
X(SET_HOSTS,        "SELECT count(*) FROM hosts WHERE enrollment = 'active'" \
	" AND instr(' ' || refs || ' ', ' ' || ?1 || ' ') > 0") \
X(POLICY_ADD,       "INSERT INTO policies (" POLICY_COLS ", body, ima) VALUES" \
	" (?1, (SELECT coalesce(max(version), 0) + 1 FROM policies WHERE name = ?1), ?2, ?3, ?4, ?5, ?6) RETURNING version") \
X(POLICY,           "SELECT " POLICY_COLS ", body, ima FROM policies WHERE name = ?1 AND (version = ?2 OR ?2 = 0)" \
	" ORDER BY version DESC LIMIT 1") \
X(POLICIES,         "SELECT " POLICY_COLS " FROM policies ORDER BY name, version") \
X(POLICY_OF,        "SELECT p.name, p.version, p.digest, p.created, p.author, g.ceiling, g.ceiling_until" \
	" FROM host_groups g JOIN policies p ON p.name = g.policy WHERE g.name = ?1 ORDER BY p.version DESC LIMIT 1") \
X(GROUP,            "SELECT " GROUP_COLS " FROM host_groups WHERE name = ?1") \
X(GROUP_PUT,        "INSERT INTO host_groups (name, policy, ceiling, ceiling_until) VALUES (?1, ?2, ?3, ?4)" \
	" ON CONFLICT (name) DO UPDATE SET policy = ?2, ceiling = ?3, ceiling_until = ?4") \
X(GROUPS,           "SELECT " GROUP_COLS " FROM host_groups ORDER BY name") \
X(SET_MARK,         "UPDATE hosts SET verdict = 'contraindicated', reason = ?2, result = ''" \
	" WHERE enrollment = 'active' AND instr(' ' || refs || ' ', ' ' || ?1 || ' ') > 0") \
X(ALLOW_PUT,        "INSERT INTO allow_lists (name, digest, entries, created, author, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)" \
	" ON CONFLICT (name) DO UPDATE SET digest = ?2, entries = ?3, created = ?4, author = ?5, body = ?6") \
X(ALLOW_DROP,       "DELETE FROM allow_lists WHERE name = ?1") \
X(ALLOW,            "SELECT name, digest, entries, created, author, body FROM allow_lists WHERE name = ?1") \
X(ALLOW_DIGEST,     "SELECT digest FROM allow_lists WHERE name = ?1") \
X(ALLOWS,           "SELECT name, digest, entries, created, author FROM allow_lists ORDER BY name") \
X(LEASE_ADD,        "INSERT INTO leases (" LEASE_COLS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)") \
X(LEASES,           "SELECT " LEASE_COLS " FROM leases WHERE host = ?1 ORDER BY number DESC LIMIT ?2") \
X(LEASES_LIVE,      "SELECT " LEASE_COLS " FROM leases WHERE host = ?1 AND sequence = 0 AND ended = 0 AND expires > ?2" \
	" ORDER BY number LIMIT ?3") \
X(LEASE_END,        "UPDATE leases SET ended = ?3 WHERE host = ?1 AND ended = 0 AND (expires = 0 OR expires > ?3) AND (?2 = '' OR id = ?2" \
	" OR (sequence > 0 AND sequence < (SELECT sequence FROM leases WHERE host = ?1 AND id = ?2)))") \
X(LEASE_USED,       "UPDATE leases SET expires = min(max(?3, created), ?4) + seconds * 1000" \
	" WHERE host = ?1 AND id = ?2 AND sequence > 0 AND expires = 0") \
X(LEASE_CODES,      "SELECT coalesce(max(sequence), 0), coalesce(max(CASE WHEN ended > 0 THEN sequence END), 0)" \
	" FROM leases WHERE host = ?1") \
X(APPROVAL_PUT,     "INSERT INTO approvals (change, who, at, needed) VALUES (?1, ?2, ?3, ?4)" \
	" ON CONFLICT (change, who) DO UPDATE SET at = ?3, needed = ?4") \
X(APPROVALS_SINCE,  "SELECT a.change, a.who, a.at, a.needed FROM approvals a JOIN" \
	" (SELECT change, min(at) AS since FROM approvals WHERE at > ?1 GROUP BY change) f ON a.change = f.change" \
	" WHERE a.at > ?1 ORDER BY f.since, a.change, a.at") \
X(APPROVALS,        "SELECT count(*) FROM approvals WHERE change = ?1") \
X(APPROVALS_END,    "DELETE FROM approvals WHERE change = ?1") \
X(APPROVALS_PURGE,  "DELETE FROM approvals WHERE at <= ?1") \
X(GATEWAY_ADD,      "INSERT INTO gateways (" GATEWAY_COLS ") VALUES (?1, ?2, ?3, ?4, ?5)") \
X(GATEWAY_DROP,     "DELETE FROM gateways WHERE name = ?1") \
X(GATEWAY,          "SELECT " GATEWAY_COLS " FROM gateways WHERE token = ?1") \
X(GATEWAYS,         "SELECT " GATEWAY_COLS " FROM gateways ORDER BY name") \
X(PASSPORT_ADD,     "INSERT INTO passports (" PASSPORT_COLS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)") \
X(PASSPORT_TAKE,    "UPDATE passports SET used = 1 WHERE code = ?1 AND NOT used RETURNING " PASSPORT_COLS) \
X(PASSPORTS_PURGE,  "DELETE FROM passports WHERE expires < ?1") \
X(AUDIT_LAST,       "SELECT " AUDIT_COLS " FROM audit ORDER BY number DESC LIMIT 1") \
X(AUDIT_ADD,        "INSERT INTO audit (" AUDIT_COLS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)") \
X(AUDIT,            "SELECT " AUDIT_COLS " FROM audit ORDER BY number")
#endif
