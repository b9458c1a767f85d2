-- People: accounts, sessions, one-time links, the limit on failures, and the audit of changes.

-- name: create
-- Nothing when the name is taken. Index: accounts (key).
WITH made AS (
    INSERT INTO accounts (name, key, role, password_hash) VALUES (%(name)s, %(key)s, %(role)s, %(hash)s)
    ON CONFLICT (key) DO NOTHING RETURNING id, name, role, disabled
), told AS (
    INSERT INTO account_events (account, actor, action, detail) SELECT id, %(by)s, 'created', role FROM made
)
SELECT id, name, role, disabled FROM made;

-- name: people
-- A full scan of a table with a row a person.
SELECT id, name, role, disabled FROM accounts ORDER BY key;

-- name: by_name
-- Index: accounts (key).
SELECT id, name, role, disabled FROM accounts WHERE key = %(key)s;

-- name: lock_admins
-- Whoever takes an admin away waits here for others who do: the last one must stay. A scan of a row a person.
SELECT id FROM accounts WHERE role = 'admin' AND NOT disabled ORDER BY id FOR NO KEY UPDATE;

-- name: set_role
-- Index: accounts (key).
UPDATE accounts SET role = %(role)s WHERE key = %(key)s RETURNING id, name, role, disabled;

-- name: set_disabled
-- Index: accounts (key).
UPDATE accounts SET disabled = %(disabled)s WHERE key = %(key)s RETURNING id, name, role, disabled;

-- name: set_password
-- Index: accounts (key).
UPDATE accounts SET password_hash = %(hash)s WHERE key = %(key)s RETURNING id, name, role, disabled;

-- name: shut_out
-- End somebody's sessions and take back their links. Index: sessions_account, sign_in_links_account.
WITH links AS (DELETE FROM sign_in_links WHERE account = %(account)s)
DELETE FROM sessions WHERE account = %(account)s;

-- name: tell
-- One line of the audit. Index: none needed.
INSERT INTO account_events (account, actor, action, detail) VALUES (%(account)s, %(by)s, %(action)s, %(detail)s);

-- name: password
-- What a sign-in is checked against. Index: accounts (key).
SELECT id, password_hash FROM accounts WHERE key = %(key)s AND NOT disabled AND password_hash IS NOT NULL;

-- name: rehash
-- The same password under newer parameters, unless it was changed meanwhile. Index: the primary key.
UPDATE accounts SET password_hash = %(new)s WHERE id = %(account)s AND password_hash = %(old)s;

-- name: one_at_a_time
-- Two advisory locks, no table: Attempts on one name, and from one address, are counted one after the other.
SELECT pg_advisory_xact_lock(1, hashtext(%(key)s)), pg_advisory_xact_lock(2, hashtext(%(address)s));

-- name: blocked_until
-- When the next attempt is allowed: as soon as the n-th latest failure has left the window. NULL: now.
-- Index: sign_in_failures_key, sign_in_failures_address.
SELECT greatest(
    (SELECT at FROM sign_in_failures WHERE key = %(key)s AND at > clock_timestamp() - %(window)s
     ORDER BY at DESC OFFSET %(by_name)s - 1 LIMIT 1),
    (SELECT at FROM sign_in_failures WHERE address = %(address)s AND at > clock_timestamp() - %(window)s
     ORDER BY at DESC OFFSET %(by_address)s - 1 LIMIT 1)
) + %(window)s - clock_timestamp();

-- name: attempt
-- Counted as a failure until it succeeds, so that many at once are not more than one after the other.
-- Index: none needed.
INSERT INTO sign_in_failures (key, address) VALUES (%(key)s, %(address)s) RETURNING id;

-- name: forgive
-- A right password clears its name, but not what else its address tried. Index: sign_in_failures_key, the primary key.
DELETE FROM sign_in_failures WHERE key = %(key)s OR id = %(attempt)s;

-- name: forget
-- Failures that have left the window. Index: sign_in_failures_at.
DELETE FROM sign_in_failures WHERE id IN (
    SELECT id FROM sign_in_failures WHERE at <= clock_timestamp() - %(window)s
    ORDER BY at LIMIT 500 FOR UPDATE SKIP LOCKED);

-- name: open_session
-- Index: none needed.
INSERT INTO sessions (digest, account, expires_at) VALUES (%(digest)s, %(account)s, now() + %(longest)s);

-- name: end_old
-- Sessions and links that have run out. Index: sessions_expiry; links are few.
WITH links AS (DELETE FROM sign_in_links WHERE expires_at <= now())
DELETE FROM sessions WHERE expires_at <= now();

-- name: person
-- Who a session belongs to, and whether it is time to note that it was used. Index: the primary keys.
SELECT a.id, a.name, a.role, a.disabled, s.seen_at <= clock_timestamp() - %(note)s
FROM sessions s JOIN accounts a ON a.id = s.account
WHERE s.digest = %(digest)s AND NOT a.disabled
  AND s.expires_at > clock_timestamp() AND s.seen_at > clock_timestamp() - %(idle)s;

-- name: seen
-- Index: the primary key.
UPDATE sessions SET seen_at = clock_timestamp() WHERE digest = %(digest)s;

-- name: close_session
-- Index: the primary key.
DELETE FROM sessions WHERE digest = %(digest)s;

-- name: add_link
-- For people who are not shut out. Index: accounts (key).
INSERT INTO sign_in_links (digest, account, expires_at)
SELECT %(digest)s, id, now() + %(valid)s FROM accounts WHERE key = %(key)s AND NOT disabled
RETURNING account;

-- name: redeem
-- One statement, so that of many at once one gets it. Index: the primary keys.
DELETE FROM sign_in_links l USING accounts a
WHERE l.digest = %(digest)s AND a.id = l.account AND l.expires_at > clock_timestamp() AND NOT a.disabled
RETURNING l.account;
