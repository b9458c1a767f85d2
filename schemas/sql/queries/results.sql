-- Raw results of models, and the models themselves.

-- name: store
-- Bulk upsert, sorted; arrays arrive as text literals because unnest would flatten them. What was said of an image that
-- was erased meanwhile is dropped, and none is erased before this is committed. Index: the primary keys.
WITH known AS MATERIALIZED (
    SELECT id FROM images WHERE id = ANY (%(images)s::bigint[]) ORDER BY id FOR KEY SHARE
)
INSERT INTO results AS r (image, model, stage, labels, scores, boxes, texts, figures, millis, batch)
SELECT image, model, stage, labels::smallint[], scores::real[], boxes::real[],
       CASE WHEN texts IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(texts::jsonb)) END, figures::real[],
       millis, batch
FROM unnest(%(images)s::bigint[], %(models)s::int[], %(stages)s::text[], %(labels)s::text[], %(scores)s::text[],
            %(boxes)s::text[], %(texts)s::text[], %(figures)s::text[], %(millis)s::real[], %(batches)s::smallint[])
     AS new (image, model, stage, labels, scores, boxes, texts, figures, millis, batch)
JOIN known ON known.id = new.image
ORDER BY image, model
ON CONFLICT (image, model) DO UPDATE
    SET labels = excluded.labels, scores = excluded.scores, boxes = excluded.boxes, texts = excluded.texts,
        figures = excluded.figures, millis = excluded.millis, batch = excluded.batch, computed = least(r.computed + 1, 32767), created_at = now();

-- name: store_vectors
-- Bulk upsert, sorted, after `store`, whose locks keep the images. Index: the primary keys.
INSERT INTO embeddings AS e (image, model, vector)
SELECT image, model, vector::real[]
FROM unnest(%(images)s::bigint[], %(models)s::int[], %(vectors)s::text[]) AS new (image, model, vector)
JOIN images i ON i.id = new.image
ORDER BY image, model
ON CONFLICT (image, model) DO UPDATE SET vector = excluded.vector;

-- name: needed
-- What certain revisions of models said of images, vectors included: another revision's answer is another answer.
-- Index: models (name, revision), results' and embeddings' primary keys.
SELECT r.image, m.name, r.labels, r.scores, r.boxes, r.texts, r.figures, e.vector
FROM unnest(%(names)s::text[], %(revisions)s::text[]) AS n (name, revision)
JOIN models m ON m.name = n.name AND m.revision = n.revision
JOIN results r ON r.model = m.id AND r.image = ANY (%(images)s)
LEFT JOIN embeddings e ON e.image = r.image AND e.model = r.model;

-- name: unplaced
-- How many of the records that a viewer may see have no vector of a model; all are looked at, or some two thousand in
-- random blocks. A scan of these; indexes: models (name, revision), embeddings' primary key.
WITH part AS MATERIALIZED (
    SELECT CASE WHEN reltuples > 4000 THEN 200000 / reltuples ELSE 100 END AS percent
    FROM pg_class WHERE oid = 'records'::regclass
)
SELECT count(*), count(*) FILTER (WHERE e.image IS NULL), (SELECT percent >= 100 FROM part)
FROM records r TABLESAMPLE SYSTEM ((SELECT percent FROM part)) REPEATABLE (17)
JOIN collections c ON c.id = r.collection
LEFT JOIN models m ON m.name = %(model)s AND m.revision = %(revision)s
LEFT JOIN embeddings e ON e.image = r.image AND e.model = m.id
WHERE r.live AND (%(held)s OR r.visibility = 'shown')
  AND (%(collections)s::text[] IS NULL OR c.name = ANY (%(collections)s));

-- name: end_work
-- What has a result is not pending any more. Index: the primary key.
DELETE FROM work w USING (
    SELECT x.stage, x.subject, x.model FROM work x
    JOIN unnest(%(stages)s::text[], %(images)s::bigint[], %(models)s::int[]) AS d (stage, subject, model)
      ON x.stage = d.stage AND x.subject = d.subject AND x.model = d.model
    ORDER BY x.stage, x.subject, x.model FOR UPDATE OF x) AS done
WHERE w.stage = done.stage AND w.subject = done.subject AND w.model = done.model;

-- name: of_image
-- Everything that every model said of an image. Index: the primary key.
SELECT r.stage, m.name, m.revision, m.labels, r.labels, r.scores, r.boxes, r.texts, r.figures, r.millis, r.created_at
FROM results r JOIN models m ON m.id = r.model WHERE r.image = %(image)s ORDER BY r.stage, m.name, m.id;

-- name: remove_model
-- Take back what a model said, by name. Index: results_model.
DELETE FROM results r USING models m WHERE r.model = m.id AND m.name = %(name)s RETURNING r.image;

-- name: remove_vectors
-- Index: embeddings_model.
DELETE FROM embeddings e USING models m WHERE e.model = m.id AND m.name = %(name)s;

-- name: drop_work_of_model
-- Nothing is to be computed by a removed model. Index: none needed, what is pending is small.
DELETE FROM work w USING models m WHERE w.model = m.id AND m.name = %(name)s RETURNING w.subject;

-- name: drop_from_plans
-- No plan asks for a removed model, old ones neither: else a record of theirs would never be complete again. A full
-- scan of a table with a row a plan.
UPDATE plans p SET models = ARRAY(SELECT x FROM unnest(p.models) WITH ORDINALITY AS u (x, place)
                                  WHERE x <> ALL (gone.ids) ORDER BY place)
FROM (SELECT array_agg(id) AS ids FROM models WHERE name = %(name)s) AS gone
WHERE p.models && gone.ids;

-- name: register
-- A model's revision; thresholds may change without a new revision. Index: models (name, revision).
INSERT INTO models AS m (name, stage, revision, sample, labels, categories, thresholds, floor)
VALUES (%(name)s, %(stage)s, %(revision)s, %(sample)s, %(labels)s, %(categories)s, %(thresholds)s, %(floor)s)
ON CONFLICT (name, revision) DO UPDATE SET thresholds = excluded.thresholds
RETURNING m.id;

-- name: models
-- Every registered revision; a full scan of a table with a row a revision.
SELECT id, name, stage, revision, sample, labels, categories, thresholds, floor FROM models ORDER BY id;

-- name: touch_threshold
-- Records of images that a model scored between an old and a new threshold. Index: results_model.
UPDATE records r SET dirty = r.dirty + 1, dirty_at = now()
FROM (SELECT x.id FROM records x WHERE x.image IN (
        SELECT s.image FROM results s, unnest(s.labels, s.scores) AS said (label, score)
        WHERE s.model = %(model)s AND said.label = ANY (%(labels)s)
          AND said.score >= %(low)s::real AND said.score < %(high)s::real)
      ORDER BY x.image, x.collection FOR UPDATE) AS locked
WHERE r.id = locked.id;
