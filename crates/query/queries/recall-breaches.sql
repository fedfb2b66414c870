-- title: Steps of recalled packs after the recall took effect
-- asks: whoever runs a recall, and the regulator who watches it
-- why: From its effective time on, a recalled pack may be held, returned or destroyed, and nothing else. What happens
--   to a case happens to the recalled packs inside it; two levels around a pack are followed.
-- parameter: recall text = null | only this recall, by its id
-- parameter: gtin gtin = null | only packs of this product
-- column: recall | id of the recall
-- column: class | its class
-- column: gtin | the product
-- column: lot | lot of the pack
-- column: item | key of the pack
-- column: kind | what was done
-- column: moment | when, declared or block time
-- column: moved | what it was done to: the pack, or what it was inside of
-- column: actor | who did it
-- column: gln | his GLN, where the registry knows him
-- column: name | his name
-- column: chain | where: the chain
-- column: block_number | the block
-- column: log_index | the log
-- column: sub_index | the entry within it

WITH recalled AS (
    SELECT r.id AS recall, r.class, r.market, r.effective_at, r.resolved_at, i.chain, i.item, i.gtin, i.lot, i.maker
    FROM registry_recalls r
    JOIN items i ON i.chain = r.chain AND i.gtin = r.gtin
    WHERE r.to_block IS NULL
      AND i.serial IS NOT NULL
      AND (r.lot IS NULL OR i.lot = r.lot)
      AND (r.serial_from IS NULL OR i.serial >= r.serial_from)
      AND (r.serial_to IS NULL OR i.serial <= r.serial_to)
      AND ($recall IS NULL OR r.id = $recall)
      AND ($gtin IS NULL OR r.gtin = $gtin)
),
inside AS (
    SELECT chain, child, parent,
        CAST(from_block AS BIGINT) * 4294967296 + from_log AS since,
        coalesce(CAST(to_block AS BIGINT) * 4294967296 + to_log, 9223372036854775807) AS until
    FROM containment
),
moved AS (
    SELECT chain, item, item AS moved, CAST(0 AS BIGINT) AS since, 9223372036854775807 AS until FROM recalled
    UNION
    SELECT r.chain, r.item, a.parent, a.since, a.until
    FROM recalled r
    JOIN inside a ON a.chain = r.chain AND a.child = r.item
    UNION
    SELECT r.chain, r.item, b.parent, greatest(a.since, b.since), least(a.until, b.until)
    FROM recalled r
    JOIN inside a ON a.chain = r.chain AND a.child = r.item
    JOIN inside b ON b.chain = a.chain AND b.child = a.parent
),
steps AS (
    SELECT m.item, m.moved, e.kind, coalesce(e.event_time, e.block_time) AS moment, e.actor, e.to_address,
        e.chain, e.block_number, e.log_index, e.sub_index
    FROM moved m
    JOIN events e ON e.chain = m.chain AND e.item = m.moved
    WHERE e.kind IN (
            'shipping', 'accepting', 'packing', 'reactivating', 'exporting', 'dispensing', 'partial_dispensing'
        )
      AND e.authority <> 'unknown'
      AND CAST(e.block_number AS BIGINT) * 4294967296 + e.log_index BETWEEN m.since AND m.until
),
owners AS (
    SELECT chain, gtin, max(owner) AS owner
    FROM registry_products
    WHERE to_block IS NULL
    GROUP BY chain, gtin
)
SELECT r.recall, r.class, r.gtin, r.lot, r.item, s.kind, s.moment, s.moved, s.actor, a.gln, a.name,
    s.chain, s.block_number, s.log_index, s.sub_index
FROM recalled r
JOIN steps s ON s.chain = r.chain AND s.item = r.item
LEFT JOIN actors a ON a.chain = s.chain AND a.address = s.actor
LEFT JOIN actors t ON t.chain = s.chain AND t.address = s.to_address
LEFT JOIN owners o ON o.chain = r.chain AND o.gtin = r.gtin
WHERE s.moment >= r.effective_at
  AND (r.resolved_at IS NULL OR s.moment < r.resolved_at)
  AND (r.market IS NULL OR a.country IS NULL OR a.country = r.market)
  AND NOT (
      s.kind IN ('shipping', 'accepting')
      AND (
          coalesce(t.role, '') = 'reverse_distributor'
          OR coalesce(s.to_address, '') = coalesce(r.maker, 'unknown')
          OR coalesce(t.gln, '') = coalesce(o.owner, 'unknown')
      )
  )
ORDER BY s.moment, s.chain, s.block_number, s.log_index, s.sub_index, r.recall, r.item, s.moved
LIMIT $limit
