-- Work that is pending or has failed. Every claim is one statement; SKIP LOCKED keeps claimers apart. What locks many
-- rows otherwise does so in the order of the primary key, so that no two wait for each other.

-- name: turn
-- An advisory lock, no index: claimers of the same stages wait for each other until their claim is committed, milliseconds.
SELECT pg_advisory_xact_lock(hashtextextended('nafuda.claim ' || array_to_string(%(stages)s::text[], ' '), 0));

-- name: claim
-- The next subjects of some stages with all that is ready for each, live before backfill (or live alone), oldest first: an image whose
-- stages were claimed apart would be decoded for each of them. Claimers of the same stages take turns (see `turn`), or
-- they would skip each other's rows of one image. Four rows a subject are read from each stage; with more models than
-- that a chunk is smaller. Index: work_ready, once a stage; then the primary key.
WITH ready AS MATERIALIZED (
    SELECT next.subject, next.priority, next.next_attempt_at
    FROM unnest(%(stages)s::text[]) AS wanted (stage)
    CROSS JOIN LATERAL (
        SELECT w.subject, w.priority, w.next_attempt_at
        FROM work w
        WHERE w.stage = wanted.stage AND w.state = 'pending' AND w.claimed_by IS NULL AND w.deaths = 0 AND NOT w.held
          AND w.priority <= %(latest)s AND w.next_attempt_at <= now()
        ORDER BY w.priority, w.next_attempt_at, w.subject
        LIMIT 4 * %(limit)s
    ) AS next
), chosen AS MATERIALIZED (
    SELECT subject FROM ready
    GROUP BY subject ORDER BY min(priority), min(next_attempt_at), subject LIMIT %(limit)s
), picked AS MATERIALIZED (
    SELECT w.stage, w.subject, w.model
    FROM unnest(%(stages)s::text[]) AS wanted (stage)
    CROSS JOIN chosen
    JOIN work w ON w.stage = wanted.stage AND w.subject = chosen.subject
    WHERE w.state = 'pending' AND w.claimed_by IS NULL AND w.deaths = 0 AND NOT w.held AND w.next_attempt_at <= now()
    FOR UPDATE OF w SKIP LOCKED
)
UPDATE work w SET claimed_by = %(worker)s, claimed_at = now(), attempts = least(w.attempts + 1, 32767)
FROM picked
WHERE w.stage = picked.stage AND w.subject = picked.subject AND w.model = picked.model
RETURNING w.stage, w.subject, w.model, w.attempts, w.deaths, w.priority;

-- name: claim_suspect
-- One piece of work whose earlier attempt ended in process death; a subject's other models are not blamed with it.
-- Index: work_suspect.
WITH picked AS MATERIALIZED (
    SELECT w.stage, w.subject, w.model
    FROM work w
    WHERE w.stage = ANY (%(stages)s) AND w.state = 'pending' AND w.claimed_by IS NULL AND w.deaths > 0 AND NOT w.held
      AND w.next_attempt_at <= now()
    ORDER BY w.next_attempt_at, w.subject
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE work w SET claimed_by = %(worker)s, claimed_at = now(), attempts = least(w.attempts + 1, 32767)
FROM picked
WHERE w.stage = picked.stage AND w.subject = picked.subject AND w.model = picked.model
RETURNING w.stage, w.subject, w.model, w.attempts, w.deaths, w.priority;

-- name: suspects
-- Is there a subject that a process died over? Index: work_suspect.
SELECT EXISTS (SELECT FROM work w WHERE w.stage = ANY (%(stages)s) AND w.state = 'pending' AND w.claimed_by IS NULL
               AND w.deaths > 0 AND NOT w.held AND w.next_attempt_at <= now());

-- name: ready
-- Is there work that a hint would find? Index: work_ready, one probe a stage; without the order the planner reads the
-- whole table for a stage that has nothing to do.
SELECT EXISTS (
    SELECT FROM unnest(%(stages)s::text[]) AS wanted (stage)
    CROSS JOIN LATERAL (
        SELECT w.subject FROM work w
        WHERE w.stage = wanted.stage AND w.state = 'pending' AND w.claimed_by IS NULL AND w.deaths = 0 AND NOT w.held
          AND w.next_attempt_at <= now()
        ORDER BY w.priority, w.next_attempt_at, w.subject LIMIT 1
    ) AS next);

-- name: abandon
-- A chunk failed as a whole: what is still claimed becomes ready after a pause. Index: the primary key.
UPDATE work w SET claimed_by = NULL, claimed_at = NULL, next_attempt_at = now() + interval '2 seconds'
FROM (SELECT x.stage, x.subject, x.model
      FROM unnest(%(stages)s::text[], %(subjects)s::bigint[], %(models)s::int[]) AS c (stage, subject, model)
      JOIN work x ON x.stage = c.stage AND x.subject = c.subject AND x.model = c.model
      WHERE x.claimed_by = %(worker)s
      ORDER BY x.stage, x.subject, x.model FOR UPDATE OF x) AS own
WHERE w.stage = own.stage AND w.subject = own.subject AND w.model = own.model;

-- name: blame
-- A chunk failed for a reason that nobody foresaw: each subject is tried alone from now on, and quarantined when
-- it fails alone too often. What was hinted at since the claim may be other bytes by now, with all their chances.
-- Index: the primary key.
UPDATE work w
SET claimed_by = NULL, claimed_at = NULL, next_attempt_at = now() + interval '1 second',
    deaths = CASE WHEN own.newer THEN 1 ELSE w.deaths + 1 END,
    state = CASE WHEN w.deaths >= %(most)s AND NOT own.newer THEN 'quarantined' ELSE w.state END, code = 'unexpected',
    reason = %(reason)s
FROM (SELECT x.stage, x.subject, x.model, x.stage = 'ingest' AND x.next_attempt_at > x.claimed_at AS newer
      FROM unnest(%(stages)s::text[], %(subjects)s::bigint[], %(models)s::int[]) AS c (stage, subject, model)
      JOIN work x ON x.stage = c.stage AND x.subject = c.subject AND x.model = c.model
      WHERE x.claimed_by = %(worker)s
      ORDER BY x.stage, x.subject, x.model FOR UPDATE OF x) AS own
WHERE w.stage = own.stage AND w.subject = own.subject AND w.model = own.model
RETURNING w.subject, w.state;

-- name: fail
-- Write failures down: pending again later, or failed for good; but what was hinted at since the claim may be other
-- bytes by now, and an image that was gone may have come with another object: it is ready at once. Index: the primary key.
WITH failed AS (
    SELECT w.stage, w.subject, w.model, f.state, f.delay, f.code, f.reason,
           w.next_attempt_at > w.claimed_at AND (w.stage = 'ingest' OR f.code = 'gone') AS newer
    FROM unnest(%(stages)s::text[], %(subjects)s::bigint[], %(models)s::int[], %(states)s::text[],
                %(delays)s::float8[], %(codes)s::text[], %(reasons)s::text[])
         AS f (stage, subject, model, state, delay, code, reason)
    JOIN work w ON w.stage = f.stage AND w.subject = f.subject AND w.model = f.model
    WHERE w.claimed_by = %(worker)s
    ORDER BY w.stage, w.subject, w.model FOR UPDATE OF w
)
UPDATE work w
SET state = CASE WHEN f.newer THEN 'pending' ELSE f.state END,
    next_attempt_at = now() + make_interval(secs => CASE WHEN f.newer THEN 0 ELSE f.delay END),
    attempts = CASE WHEN f.newer THEN 0 ELSE w.attempts END, claimed_by = NULL, claimed_at = NULL,
    code = f.code, reason = f.reason
FROM failed f WHERE w.stage = f.stage AND w.subject = f.subject AND w.model = f.model;

-- name: touch_failed
-- A failed stage changes the record's status. Everything that locks many records does so in the order of (image,
-- collection), so that no two wait for each other. Index: records (image, collection).
UPDATE records r SET dirty = r.dirty + 1, dirty_at = now()
FROM (SELECT id FROM records WHERE image = ANY (%(images)s) ORDER BY image, collection FOR UPDATE) AS locked
WHERE r.id = locked.id;

-- name: lock_said
-- Records of images of which something was said, before `touch_said`: of two who end an image's last work, the later one
-- sees that nothing is left. Index: records (image, collection).
SELECT FROM records WHERE image = ANY (%(images)s) ORDER BY image, collection FOR UPDATE;

-- name: touch_said
-- What was said of an image, or what failed, shows in its records: at once where nothing else is being worked on, else
-- within three seconds, with what is said until then. What waits already is not put off.
-- Indexes: records (image, collection), work_subject.
UPDATE records r
SET dirty = r.dirty + 1,
    dirty_at = CASE WHEN EXISTS (SELECT FROM work w
                                 WHERE w.subject = r.image AND w.stage <> 'ingest' AND w.state = 'pending')
               THEN least(CASE WHEN r.dirty > r.merged THEN r.dirty_at END, now() + interval '3 seconds')
               ELSE now() END
WHERE r.image = ANY (%(images)s) RETURNING r.dirty_at <= now();

-- name: give_back
-- Return claims unworked; the attempt does not count. Index: the primary key.
UPDATE work w SET claimed_by = NULL, claimed_at = NULL, attempts = greatest(w.attempts - 1, 0)
FROM (SELECT x.stage, x.subject, x.model
      FROM unnest(%(stages)s::text[], %(subjects)s::bigint[], %(models)s::int[]) AS c (stage, subject, model)
      JOIN work x ON x.stage = c.stage AND x.subject = c.subject AND x.model = c.model
      WHERE x.claimed_by = %(worker)s
      ORDER BY x.stage, x.subject, x.model FOR UPDATE OF x) AS own
WHERE w.stage = own.stage AND w.subject = own.subject AND w.model = own.model;

-- name: leave
-- A worker ends with work that it did not finish: all its claims are returned, the attempts do not count.
-- Index: work_claimed.
UPDATE work w SET claimed_by = NULL, claimed_at = NULL, attempts = greatest(w.attempts - 1, 0)
FROM (SELECT x.stage, x.subject, x.model FROM work x WHERE x.claimed_by = %(worker)s
      ORDER BY x.stage, x.subject, x.model FOR UPDATE) AS own
WHERE w.stage = own.stage AND w.subject = own.subject AND w.model = own.model;

-- name: hint
-- Reserve the sending of a hint unless enough are under way. Index: the primary key (a row a queue).
INSERT INTO hints AS h (queue, waiting) VALUES (%(queue)s, 1)
ON CONFLICT (queue) DO UPDATE SET waiting = h.waiting + 1, sent_at = now() WHERE h.waiting < %(most)s
RETURNING 1;

-- name: taken
-- A hint arrived. Index: the primary key.
UPDATE hints SET waiting = waiting - 1 WHERE queue = %(queue)s AND waiting > 0;

-- name: drained
-- A worker found nothing to do: hints that were lost must not count for ever. Index: the primary key.
UPDATE hints SET waiting = 0 WHERE queue = %(queue)s AND waiting > 0;

-- name: overdue
-- Queues with ready work although no hint was sent for a while: the sweeper sends another. One sent in the future tells
-- nothing, since the clock was put back. Index: work_ready,
-- work_suspect, records_dirty; one probe a stage.
SELECT q.queue
FROM unnest(%(queues)s::text[], %(stages)s::text[]) AS q (queue, stage)
LEFT JOIN hints h ON h.queue = q.queue
WHERE (h.queue IS NULL OR h.sent_at > now() + interval '2 seconds'
       OR h.sent_at < now() - make_interval(secs => CASE WHEN h.waiting < 20 THEN 2 ELSE 60 END))
  AND CASE WHEN q.stage = 'merge'
      THEN EXISTS (SELECT FROM records r WHERE r.dirty > r.merged AND r.dirty_at <= now())
        OR EXISTS (SELECT FROM index_state i WHERE i.backend = %(backend)s AND i.revision > i.indexed)
      ELSE EXISTS (SELECT FROM (SELECT FROM work w WHERE w.stage = q.stage AND w.state = 'pending' AND w.claimed_by IS NULL
                                AND w.deaths = 0 AND NOT w.held AND w.next_attempt_at <= now()
                                ORDER BY w.priority, w.next_attempt_at, w.subject LIMIT 1) AS next)
        OR EXISTS (SELECT FROM work w WHERE w.stage = q.stage AND w.state = 'pending' AND w.claimed_by IS NULL
                   AND w.deaths > 0 AND NOT w.held AND w.next_attempt_at <= now())
      END
GROUP BY q.queue;

-- name: rehint
-- Note that the sweeper sent one. While nobody is at work on the queue's stages, older hints were lost: only this one
-- is under way. Index: the primary key, work_claimed.
INSERT INTO hints AS h (queue, waiting) VALUES (%(queue)s, 1)
ON CONFLICT (queue) DO UPDATE
    SET waiting = CASE WHEN %(queue)s = 'merge'
                         OR EXISTS (SELECT FROM work w WHERE w.claimed_by IS NOT NULL AND w.stage = ANY (%(stages)s))
                       THEN least(h.waiting + 1, 20) ELSE 1 END,
        sent_at = now();

-- name: beat
-- A worker is alive. Index: the primary key.
INSERT INTO workers (name, roles) VALUES (%(worker)s, %(roles)s)
ON CONFLICT (name) DO UPDATE SET seen_at = now();

-- name: clock
-- The time by which this transaction judges. No table, so no index.
SELECT now();

-- name: sweep
-- Free the claims of workers that are silent, where that is judged, or whose place (name before the last colon) another
-- process took. A worker heard of in the future is silent, too: the clock was put back since.
-- After too many deaths alone the work is quarantined, unless it was hinted at since (see `blame`). Index: work_claimed.
WITH claiming AS MATERIALIZED (  -- a name each: asked for each claim, the rest of this took a third of a core
    SELECT DISTINCT claimed_by AS name FROM work WHERE claimed_by IS NOT NULL
), dead AS MATERIALIZED (
    SELECT c.name FROM claiming c
    WHERE NOT EXISTS (
        SELECT FROM workers k
        WHERE k.name = c.name
          AND (NOT %(judged)s OR k.seen_at BETWEEN now() - make_interval(secs => %(silent)s)
                                               AND now() + make_interval(secs => %(silent)s))
          AND NOT EXISTS (
              SELECT FROM workers later
              WHERE later.started_at > k.started_at
                AND regexp_replace(later.name, ':[^:]*$', '') = regexp_replace(k.name, ':[^:]*$', '')))
), held AS MATERIALIZED (
    SELECT x.stage, x.subject, x.model, x.stage = 'ingest' AND x.next_attempt_at > x.claimed_at AS newer
    FROM work x JOIN dead ON dead.name = x.claimed_by
    ORDER BY x.stage, x.subject, x.model FOR UPDATE OF x
), freed AS (
    UPDATE work w
    SET claimed_by = NULL, claimed_at = NULL, deaths = CASE WHEN held.newer THEN 1 ELSE w.deaths + 1 END,
        state = CASE WHEN w.deaths >= %(most)s AND NOT held.newer THEN 'quarantined' ELSE w.state END,
        code = CASE WHEN w.deaths >= %(most)s AND NOT held.newer THEN 'process-death' ELSE w.code END,
        reason = CASE WHEN w.deaths >= %(most)s AND NOT held.newer THEN %(reason)s ELSE w.reason END
    FROM held WHERE w.stage = held.stage AND w.subject = held.subject AND w.model = held.model
    RETURNING w.stage, w.subject
)
SELECT stage, subject FROM freed;

-- name: forget_workers
-- Drop workers that ended long ago. A full scan of a table with a row a worker.
DELETE FROM workers WHERE seen_at < now() - interval '1 day';

-- name: alive
-- A full scan of a table with a row a worker.
SELECT name, roles FROM workers WHERE seen_at > now() - make_interval(secs => %(silent)s) ORDER BY name;

-- name: misjudged
-- Whether the planner takes the queue for far smaller than it is, as it does once the empty table was vacuumed: until the
-- next look of autovacuum, which may be a minute away, it reads all of it for each row. Index: the catalogue's.
SELECT c.reltuples >= 0 AND s.n_live_tup >= 200 AND s.n_live_tup > 4 * c.reltuples
FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid WHERE c.oid = 'work'::regclass;

-- name: recount
-- A sample of the queue for the planner; not while somebody else does it. A scan of 30,000 pages at most.
ANALYZE (SKIP_LOCKED) work;

-- name: counts
-- Work by stage and state. A scan of what is pending or failed.
SELECT stage,
       CASE WHEN state <> 'pending' THEN state WHEN claimed_by IS NOT NULL THEN 'claimed' WHEN held THEN 'waiting'
            WHEN next_attempt_at > now() THEN 'waiting' ELSE 'ready' END AS shown,
       count(*)
FROM work GROUP BY 1, 2 ORDER BY 1, 2;

-- name: waiting
-- What waits below live work, by stage. A scan of what is pending or failed.
SELECT stage, count(*) FROM work WHERE priority > 0 AND state = 'pending' GROUP BY 1 ORDER BY 1;

-- name: cancel_backfill
-- Take back work that waits, was not begun, and was asked for by no plan that an image came in under: without it nothing
-- is incomplete. Index: a scan of what is pending or failed; records (image, collection), the primary key of plans.
DELETE FROM work w
USING (SELECT x.stage, x.subject, x.model FROM work x
       WHERE x.priority > 0 AND x.state = 'pending' AND x.claimed_by IS NULL AND x.stage <> 'ingest'
         AND NOT EXISTS (SELECT FROM records r JOIN plans p ON p.version = r.plan
                         WHERE r.image = x.subject AND x.model = ANY (p.models))
       ORDER BY x.stage, x.subject, x.model FOR UPDATE SKIP LOCKED) AS planned
WHERE w.stage = planned.stage AND w.subject = planned.subject AND w.model = planned.model
RETURNING w.stage;

-- name: retry
-- Try failed or quarantined work of a subject again; what killed processes is still done alone, with all its chances.
-- Index: work_subject, or the primary key for ingest.
UPDATE work SET state = 'pending', next_attempt_at = now(), attempts = 0, deaths = least(deaths, 1), code = '', reason = ''
WHERE stage = ANY (%(stages)s) AND subject = ANY (%(subjects)s) AND state <> 'pending' AND claimed_by IS NULL
RETURNING stage, subject;

-- name: hold
-- What takes others' answers waits again when these are made again, and what failed for want of them gets another
-- chance; what is let go too late here, the sweeper lets go. Index: work_subject.
UPDATE work w SET state = 'pending', held = true, attempts = 0, code = '', reason = '', next_attempt_at = now()
FROM (SELECT DISTINCT x.stage, x.subject, x.model
      FROM unnest(%(holding)s::text[], %(needed)s::text[]) AS n (stage, need)
      JOIN work x ON x.stage = n.stage AND x.subject = ANY (%(images)s)
      JOIN work y ON y.stage = n.need AND y.subject = x.subject AND y.state = 'pending'
      WHERE NOT x.held AND x.claimed_by IS NULL AND (x.state = 'pending' OR x.code = 'nothing-to-score')
      ORDER BY 1, 2, 3) AS again
WHERE w.stage = again.stage AND w.subject = again.subject AND w.model = again.model AND w.claimed_by IS NULL;

-- name: forgotten
-- A page of images of which something is held, and whether it waits for no pending work any more: for the sweeper, found
-- without locking what rightly waits, which may be as much as a backfill planned; `release` looks again under locks.
-- Joined as sets: a probe for each held row is planned as a scan for each while the table is new.
-- Index: work_held, work_subject.
WITH page AS MATERIALIZED (
    SELECT DISTINCT subject FROM work WHERE held AND subject > %(after)s ORDER BY subject LIMIT %(limit)s
), known AS MATERIALIZED (
    SELECT w.subject, w.stage, w.held, w.state FROM page JOIN work w ON w.subject = page.subject AND w.stage <> 'ingest'
), rightly AS MATERIALIZED (
    SELECT DISTINCT x.subject, x.stage
    FROM known x
    JOIN unnest(%(holding)s::text[], %(needed)s::text[]) AS n (stage, need) ON n.stage = x.stage
    JOIN known y ON y.subject = x.subject AND y.stage = n.need AND y.state = 'pending'
    WHERE x.held
)
SELECT x.subject, bool_or(r.subject IS NULL)
FROM known x LEFT JOIN rightly r ON r.subject = x.subject AND r.stage = x.stage
WHERE x.held GROUP BY x.subject ORDER BY x.subject;

-- name: lock_held
-- Lock what waits for other stages of these images, so that of two transactions that end the last two needed stages
-- the second one sees what the first one did. Index: work_held.
SELECT count(*) FROM (
    SELECT w.stage FROM work w WHERE w.held AND w.subject = ANY (%(images)s)
    ORDER BY w.stage, w.subject, w.model FOR UPDATE) AS locked;

-- name: release
-- Let go of what waits for no pending work any more; after `lock_held` only. Index: work_held, work_subject.
WITH free AS MATERIALIZED (  -- else, taken for a row or two, it is found anew for each row of the table
    SELECT x.stage, x.subject, x.model FROM work x
    WHERE x.held AND x.subject = ANY (%(images)s) AND NOT EXISTS (
        SELECT FROM unnest(%(holding)s::text[], %(needed)s::text[]) AS n (stage, need)
        JOIN work y ON y.subject = x.subject AND y.stage = n.need AND y.stage <> 'ingest'
        WHERE n.stage = x.stage AND y.state = 'pending')
)
UPDATE work w SET held = false, next_attempt_at = least(w.next_attempt_at, now())
FROM free WHERE w.stage = free.stage AND w.subject = free.subject AND w.model = free.model
RETURNING w.stage;
