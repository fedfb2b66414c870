-- title: What a party had at a time
-- asks: an inspector before a visit, or the party itself
-- why: Stock on paper is held against what the chain says that a party had. What it had sent and nobody had received is
--   still its own, and counted apart. A pack inside a case belongs to who has the case; three levels are followed.
-- parameter: party text | GLN of the party
-- parameter: time time = null | the time; that of the newest block when left out
-- column: gtin | the product
-- column: product | its name
-- column: lot | the lot
-- column: chain | the chain that tells it
-- column: packs | packs in its possession
-- column: sent | of these, on the way to someone

WITH asked AS (
    SELECT coalesce($time, max(time)) AS moment FROM blocks
),
wallets AS (
    SELECT DISTINCT w.chain, w.address
    FROM registry_wallets w
    CROSS JOIN asked q
    WHERE w.party = $party
      AND w.to_block IS NULL
      AND (w.on_chain IS NULL OR w.on_chain = w.chain)
      AND (w.valid_from IS NULL OR w.valid_from <= q.moment)
      AND (w.valid_to IS NULL OR q.moment < w.valid_to)
),
had AS (
    SELECT c.chain, c.item
    FROM custody c
    JOIN wallets w ON w.chain = c.chain AND w.address = c.holder
    CROSS JOIN asked q
    WHERE c.role = 'possessor'
      AND c.branch = 0
      AND c.from_time <= q.moment
      AND (c.to_time IS NULL OR q.moment < c.to_time)
),
inside AS (
    SELECT c.chain, c.child, c.parent
    FROM containment c
    CROSS JOIN asked q
    WHERE c.from_time <= q.moment AND (c.to_time IS NULL OR q.moment < c.to_time)
),
sent AS (
    SELECT DISTINCT s.chain, s.item
    FROM shipments s
    CROSS JOIN asked q
    WHERE s.branch = 0 AND s.shipped_time <= q.moment AND (s.ended_time IS NULL OR q.moment < s.ended_time)
),
ends AS (
    SELECT e.chain, e.item, e.kind = 'reactivating' AS again,
        CAST(e.block_number AS BIGINT) * 4294967296 + e.log_index AS place
    FROM events e
    CROSS JOIN asked q
    WHERE e.kind IN ('dispensing', 'decommissioning', 'destroying', 'exporting', 'reactivating')
      AND e.legal
      AND e.branch = 0
      AND coalesce(e.reason, '') NOT IN ('migrated', 'bridged')
      AND coalesce(e.event_time, e.block_time) <= q.moment
),
gone AS (
    SELECT chain, item
    FROM ends
    GROUP BY chain, item
    HAVING max(CASE WHEN again THEN -1 ELSE place END) > max(CASE WHEN again THEN place ELSE -1 END)
),
packs AS (
    SELECT i.chain, i.item, i.gtin, i.lot, coalesce(p3.parent, p2.parent, p1.parent, i.item) AS outermost
    FROM items i
    LEFT JOIN inside p1 ON p1.chain = i.chain AND p1.child = i.item
    LEFT JOIN inside p2 ON p2.chain = p1.chain AND p2.child = p1.parent
    LEFT JOIN inside p3 ON p3.chain = p2.chain AND p3.child = p2.parent
    WHERE i.serial IS NOT NULL
),
products AS (
    SELECT gtin, max(name) AS product
    FROM registry_products
    WHERE to_block IS NULL
    GROUP BY gtin
)
SELECT k.gtin, p.product, k.lot, k.chain, count(*) AS packs, count(s.item) AS sent
FROM packs k
JOIN had h ON h.chain = k.chain AND h.item = k.outermost
LEFT JOIN sent s ON s.chain = k.chain AND s.item = k.outermost
LEFT JOIN products p ON p.gtin = k.gtin
WHERE NOT EXISTS (SELECT 1 FROM gone g WHERE g.chain = k.chain AND g.item = k.item)
GROUP BY k.gtin, p.product, k.lot, k.chain
ORDER BY packs DESC, k.gtin, k.lot, k.chain
LIMIT $limit
