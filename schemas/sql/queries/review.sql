-- The review queue: flags, items, leases, decisions and their audit. Lock order: the record, then its items.

-- name: touched
-- Of these records, the ones whose review can change: found now, flagged before, or of a collection that holds
-- everything back. Index: the primary keys of records and standing_flags, review_items_one_open.
SELECT r.id, r.live, c.hold, c.name
FROM records r JOIN collections c ON c.id = r.collection
WHERE r.id = ANY (%(records)s::bigint[])
  AND (r.id = ANY (%(found)s::bigint[]) OR c.hold
       OR EXISTS (SELECT FROM standing_flags f WHERE f.record = r.id)
       OR EXISTS (SELECT FROM review_items i WHERE i.record = r.id AND i.status = 'open'))
ORDER BY r.id FOR NO KEY UPDATE OF r;

-- name: add_flags
-- Findings as rows; those known already stay as they are. Index: the dedupe key.
INSERT INTO flags (record, policy, version, subject, source, score, threshold, severity, action, queue)
SELECT * FROM unnest(%(record)s::bigint[], %(policy)s::text[], %(version)s::integer[], %(subject)s::text[],
                     %(source)s::text[], %(score)s::real[], %(threshold)s::real[], %(severity)s::text[],
                     %(action)s::text[], %(queue)s::text[])
ON CONFLICT DO NOTHING;

-- name: stand
-- What holds now is exactly these findings. Index: standing_flags' primary key, the flags' dedupe key.
WITH now_found AS (
    SELECT f.record, f.policy, f.subject, f.queue, f.id AS flag
    FROM unnest(%(record)s::bigint[], %(policy)s::text[], %(version)s::integer[], %(subject)s::text[],
                %(source)s::text[], %(score)s::real[]) AS n (record, policy, version, subject, source, score)
    JOIN flags f USING (record, policy, version, subject, source, score)
), gone AS (
    DELETE FROM standing_flags s WHERE s.record = ANY (%(records)s::bigint[])
       AND NOT EXISTS (SELECT FROM now_found n
                       WHERE n.record = s.record AND n.policy = s.policy AND n.subject = s.subject)
)
INSERT INTO standing_flags AS s (record, policy, subject, queue, flag)
SELECT record, policy, subject, queue, flag FROM now_found ORDER BY record, policy, subject
ON CONFLICT (record, policy, subject) DO UPDATE SET queue = excluded.queue, flag = excluded.flag
WHERE s.flag <> excluded.flag;

-- name: standing
-- The flags that hold now. Index: standing_flags' primary key, flags' primary key.
SELECT s.record, f.queue, f.policy, f.version, f.severity, f.action, f.subject, f.score, f.threshold, f.source
FROM standing_flags s JOIN flags f ON f.id = s.flag
WHERE s.record = ANY (%(records)s::bigint[]) ORDER BY s.record, s.policy, s.subject;

-- name: in_force
-- Decisions that nobody took back, latest first. Index: review_decisions_record, review_decisions (undoes).
SELECT d.record, d.queue, d.verdict, d.shown
FROM review_decisions d
WHERE d.record = ANY (%(records)s::bigint[]) AND d.kind = 'primary' AND d.verdict <> 'escalate'
  AND NOT EXISTS (SELECT FROM review_decisions u WHERE u.undoes = d.id)
ORDER BY d.record, d.id DESC;

-- name: open_queues
-- Queues in which the records wait. Index: review_items_one_open.
SELECT record, queue FROM review_items WHERE record = ANY (%(records)s::bigint[]) AND status = 'open'
ORDER BY record, queue;

-- name: holds
-- Of these records, the ones whose collection holds everything back. Index: records' primary key.
SELECT r.id, c.name FROM records r JOIN collections c ON c.id = r.collection
WHERE r.id = ANY (%(records)s::bigint[]) AND c.hold;

-- name: open_items
-- One item per record and queue; an open one takes the more urgent priority and due time. Gives how many are new.
-- What need not change is not even locked (ON CONFLICT alone would): a claim passes over locked items.
-- Index: review_items_one_open.
WITH opened AS (
    INSERT INTO review_items AS i (record, queue, priority, due_at)
    SELECT n.record, n.queue, n.priority, now() + n.due
    FROM unnest(%(record)s::bigint[], %(queue)s::text[], %(priority)s::smallint[], %(due)s::interval[])
         AS n (record, queue, priority, due)
    WHERE NOT EXISTS (SELECT FROM review_items o WHERE o.record = n.record AND o.queue = n.queue
                      AND o.status = 'open' AND o.priority >= n.priority)
    ORDER BY n.record, n.queue
    ON CONFLICT (record, queue) WHERE status = 'open' DO UPDATE
    SET priority = greatest(i.priority, excluded.priority), due_at = least(i.due_at, excluded.due_at),
        version = i.version + 1
    WHERE excluded.priority > i.priority
    RETURNING id, record, queue, version
), told AS (
    INSERT INTO review_events (item, record, actor, action, detail)
    SELECT id, record, '', CASE version WHEN 0 THEN 'opened' ELSE 'made-urgent' END, queue FROM opened
)
SELECT count(*) FILTER (WHERE version = 0) FROM opened;

-- name: withdraw
-- Close the open items whose flags are gone. Index: review_items_one_open, standing_flags' primary key.
WITH closed AS (
    UPDATE review_items i
    SET status = 'closed', closed_at = now(), version = version + 1,
        lease = NULL, leased_by = NULL, leased_until = NULL
    WHERE i.record = ANY (%(records)s::bigint[]) AND i.status = 'open'
      AND NOT EXISTS (SELECT FROM standing_flags s WHERE s.record = i.record AND s.queue = i.queue)
    RETURNING id, record, queue
), forgotten AS (
    DELETE FROM review_skips s USING closed WHERE s.item = closed.id
)
INSERT INTO review_events (item, record, actor, action, detail)
SELECT id, record, '', 'withdrawn', queue || ': no policy finds anything any more' FROM closed;

-- name: queues
-- Index: review_items_queue (a row per open item).
SELECT queue, count(*), min(created_at), count(*) FILTER (WHERE escalated)
FROM review_items WHERE status = 'open' GROUP BY queue ORDER BY queue;

-- name: claim
-- Lease one item: the person's own first, then the most urgent that is free, last what they skipped (longest ago
-- first). Rows that another claim is taking are passed over. The token stays while what is shown stays, so that a
-- reloaded page does not shut out the older one. With a queue and a record that is the one item there, if it is free.
-- Index: review_items_mine, review_items_queue, _urgent or _one_open, review_skips' primary key, review_skips_person.
WITH own AS MATERIALIZED (
    SELECT i.id FROM review_items i
    WHERE i.status = 'open' AND i.leased_by = %(person)s AND i.leased_until > now()
      AND (%(queue)s::text IS NULL OR i.queue = %(queue)s)
      AND (%(record)s::bigint IS NULL OR i.record = %(record)s) AND (%(admin)s OR NOT i.escalated)
    ORDER BY i.priority DESC, i.due_at, i.id LIMIT 1 FOR UPDATE SKIP LOCKED
), fresh AS MATERIALIZED (
    SELECT i.id FROM review_items i
    WHERE i.status = 'open' AND (i.leased_until IS NULL OR i.leased_until <= now())
      AND (%(queue)s::text IS NULL OR i.queue = %(queue)s)
      AND (%(record)s::bigint IS NULL OR i.record = %(record)s) AND (%(admin)s OR NOT i.escalated)
      AND NOT EXISTS (SELECT FROM review_skips s WHERE s.item = i.id AND s.person = %(person)s)
      AND NOT EXISTS (SELECT FROM own)
    ORDER BY i.priority DESC, i.due_at, i.id LIMIT 1 FOR UPDATE OF i SKIP LOCKED
), skipped AS MATERIALIZED (
    SELECT i.id FROM review_skips s JOIN review_items i ON i.id = s.item
    WHERE s.person = %(person)s AND i.status = 'open' AND (i.leased_until IS NULL OR i.leased_until <= now())
      AND (%(queue)s::text IS NULL OR i.queue = %(queue)s)
      AND (%(record)s::bigint IS NULL OR i.record = %(record)s) AND (%(admin)s OR NOT i.escalated)
      AND NOT EXISTS (SELECT FROM own) AND NOT EXISTS (SELECT FROM fresh)
    ORDER BY s.at, i.id LIMIT 1 FOR UPDATE OF i SKIP LOCKED
), picked AS (
    SELECT id, true AS mine FROM own UNION ALL SELECT id, false FROM fresh UNION ALL SELECT id, false FROM skipped
), seen AS (
    SELECT p.id, p.mine, r.revision, coalesce((
        SELECT jsonb_agg(jsonb_build_object(
                   'policy', f.policy, 'version', f.version, 'severity', f.severity, 'action', f.action,
                   'subject', f.subject, 'score', f.score, 'threshold', f.threshold, 'source', f.source)
               ORDER BY f.policy, f.subject)
        FROM standing_flags s JOIN flags f ON f.id = s.flag WHERE s.record = i.record AND s.queue = i.queue
    ), '[]') AS flags
    FROM picked p JOIN review_items i ON i.id = p.id JOIN records r ON r.id = i.record
), leased AS (
    UPDATE review_items i
    SET lease = CASE WHEN s.mine AND i.shown = s.flags THEN i.lease ELSE %(lease)s END,
        leased_by = %(person)s, leased_until = now() + %(length)s,
        leased_at = CASE WHEN s.mine AND i.shown = s.flags THEN i.leased_at ELSE now() END,
        shown = s.flags, shown_revision = s.revision, version = i.version + 1
    FROM seen s WHERE i.id = s.id
    RETURNING i.id, i.record, i.queue, i.lease
), told AS (
    INSERT INTO review_events (item, record, actor, action, detail)
    SELECT id, record, %(actor)s, 'claimed', queue FROM leased WHERE lease = %(lease)s
)
SELECT id FROM leased;

-- name: upcoming
-- What `claim` would lease after the item that this person holds; leases nothing.
-- Index: as in claim, without the person's own.
SELECT record FROM (
    (SELECT i.record, 0 AS tier FROM review_items i
     WHERE i.status = 'open' AND (i.leased_until IS NULL OR i.leased_until <= now())
       AND (%(queue)s::text IS NULL OR i.queue = %(queue)s) AND (%(admin)s OR NOT i.escalated)
       AND NOT EXISTS (SELECT FROM review_skips s WHERE s.item = i.id AND s.person = %(person)s)
     ORDER BY i.priority DESC, i.due_at, i.id LIMIT 1)
    UNION ALL
    (SELECT i.record, 1 FROM review_skips s JOIN review_items i ON i.id = s.item
     WHERE s.person = %(person)s AND i.status = 'open' AND (i.leased_until IS NULL OR i.leased_until <= now())
       AND (%(queue)s::text IS NULL OR i.queue = %(queue)s) AND (%(admin)s OR NOT i.escalated)
     ORDER BY s.at, i.id LIMIT 1)
) AS next ORDER BY tier LIMIT 1;

-- name: item
-- One item with who holds it and what holds against it now. Index: the primary keys.
SELECT i.id, i.record, i.queue, i.status, i.priority, i.created_at, i.due_at,
       coalesce(i.lease, '') AS lease, coalesce(a.name, '') AS leased_by, i.leased_until, i.escalated, i.version,
       CASE WHEN i.lease IS NULL AND i.status = 'open' THEN coalesce((
           SELECT jsonb_agg(jsonb_build_object(
                      'policy', f.policy, 'version', f.version, 'severity', f.severity, 'action', f.action,
                      'subject', f.subject, 'score', f.score, 'threshold', f.threshold, 'source', f.source)
                  ORDER BY f.policy, f.subject)
           FROM standing_flags s JOIN flags f ON f.id = s.flag WHERE s.record = i.record AND s.queue = i.queue
       ), '[]') ELSE i.shown END AS flags
FROM review_items i LEFT JOIN accounts a ON a.id = i.leased_by WHERE i.id = %(item)s;

-- name: release
-- Skip: the holder of the lease gives the item back. Index: the primary keys.
WITH given AS (
    UPDATE review_items SET lease = NULL, leased_by = NULL, leased_until = NULL, version = version + 1
    WHERE id = %(item)s AND status = 'open' AND lease = %(lease)s AND leased_by = %(person)s AND leased_until > now()
    RETURNING id, record, queue
), skipped AS (
    INSERT INTO review_skips (item, person) SELECT id, %(person)s FROM given
    ON CONFLICT (item, person) DO UPDATE SET at = now()
)
INSERT INTO review_events (item, record, actor, action, detail)
SELECT id, record, %(actor)s, 'released', queue FROM given RETURNING id;

-- name: touch
-- The item's record is to be merged again; this locks it before the item. Index: the primary keys.
UPDATE records r SET dirty = r.dirty + 1, dirty_at = now()
FROM review_items i WHERE i.id = %(item)s AND r.id = i.record RETURNING r.id;

-- name: settle
-- The holder of the lease decides: keep and remove close the item, escalate leaves it open for admins.
-- Index: the primary key.
WITH settled AS (
    UPDATE review_items
    SET status = CASE WHEN %(verdict)s = 'escalate' THEN 'open' ELSE 'closed' END,
        closed_at = CASE WHEN %(verdict)s = 'escalate' THEN NULL ELSE now() END,
        escalated = escalated OR %(verdict)s = 'escalate',
        lease = NULL, leased_by = NULL, leased_until = NULL, version = version + 1
    WHERE id = %(item)s AND status = 'open' AND lease = %(lease)s AND leased_by = %(person)s AND leased_until > now()
    RETURNING id, status
), forgotten AS (
    DELETE FROM review_skips s USING settled WHERE s.item = settled.id AND settled.status = 'closed'
)
SELECT id FROM settled;

-- name: add_decision
-- The decision with what its maker was shown. Index: the primary keys.
INSERT INTO review_decisions (item, record, queue, kind, verdict, reason, person, reviewer, shown, revision, phash,
                              duration_ms)
SELECT i.id, i.record, i.queue, 'primary', %(verdict)s, %(reason)s, %(person)s, %(actor)s, i.shown, i.shown_revision,
       m.phash, least(2147483647, greatest(0, extract(epoch FROM now() - i.leased_at) * 1000))::integer
FROM review_items i JOIN records r ON r.id = i.record JOIN images m ON m.id = r.image WHERE i.id = %(item)s;

-- name: latest_decision
-- The latest decision on an item that nobody took back. Index: review_decisions_record.
SELECT d.id, d.person, d.reviewer, d.verdict, d.at > now() - %(within)s
FROM review_items i JOIN review_decisions d ON d.record = i.record AND d.item = i.id
WHERE i.id = %(item)s AND d.kind = 'primary'
  AND NOT EXISTS (SELECT FROM review_decisions u WHERE u.undoes = d.id)
ORDER BY d.id DESC LIMIT 1;

-- name: add_undo
-- Taking back is a decision of its own. Index: the primary key; a second undo is a unique violation.
INSERT INTO review_decisions (item, record, queue, kind, undoes, verdict, person, reviewer, shown, revision, phash,
                              duration_ms)
SELECT item, record, queue, 'undo', id, verdict, %(person)s, %(actor)s, shown, revision, phash, 0
FROM review_decisions WHERE id = %(decision)s;

-- name: reopen
-- The item is in the hands of whoever took the decision back, unless a newer one for the same record and queue is open.
-- An escalation ends with its undo. Index: the primary key, review_items_one_open.
UPDATE review_items i
SET status = 'open', closed_at = NULL, version = version + 1, escalated = i.escalated AND %(verdict)s <> 'escalate',
    lease = %(lease)s, leased_by = %(person)s, leased_at = now(), leased_until = now() + %(length)s
WHERE i.id = %(item)s
  AND NOT EXISTS (SELECT FROM review_items n
                  WHERE n.record = i.record AND n.queue = i.queue AND n.status = 'open' AND n.id <> i.id);

-- name: tell
-- One line of the audit about an item. Index: the primary key.
INSERT INTO review_events (item, record, actor, action, detail)
SELECT id, record, %(actor)s, %(action)s, %(detail)s FROM review_items WHERE id = %(item)s;

-- name: skip
-- The item comes last for this person. Index: the primary key.
INSERT INTO review_skips (item, person) VALUES (%(item)s, %(person)s)
ON CONFLICT (item, person) DO UPDATE SET at = now();

-- name: unskip
-- Index: the primary key.
DELETE FROM review_skips WHERE item = %(item)s AND person = %(person)s;

-- name: history
-- Index: review_events_record.
SELECT id, item, record, actor, action, detail, at FROM review_events WHERE record = %(record)s ORDER BY id;

-- name: precedents
-- Decisions in force on the record itself, and among the latest decisions on records that look like it: at most so
-- many bits of the perceptual hash differ. Index: review_decisions_record for its own; for the others the primary
-- key backwards, so the cost has a bound however much was ever decided.
WITH subject AS (
    SELECT r.id, m.phash FROM records r JOIN images m ON m.id = r.image WHERE r.id = %(record)s
), recent AS (
    SELECT id, record, phash FROM review_decisions WHERE kind = 'primary' ORDER BY id DESC LIMIT %(window)s
), near AS (
    SELECT d.id, 0 AS distance FROM review_decisions d JOIN subject s ON d.record = s.id WHERE d.kind = 'primary'
    UNION ALL
    SELECT d.id, bit_count((d.phash # s.phash)::bit(64))::integer FROM recent d CROSS JOIN subject s
    WHERE d.record <> s.id AND bit_count((d.phash # s.phash)::bit(64)) <= %(bits)s
)
SELECT d.record, d.verdict, d.reviewer, d.reason, d.at, n.distance, d.queue
FROM near n JOIN review_decisions d ON d.id = n.id
WHERE d.verdict <> 'escalate' AND NOT EXISTS (SELECT FROM review_decisions u WHERE u.undoes = d.id)
ORDER BY (d.record = %(record)s) DESC, n.distance, d.id DESC LIMIT %(limit)s;
