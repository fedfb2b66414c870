-- title: Expired packs that are still in trade
-- asks: a wholesaler or dispenser before others ask
-- why: What is past its last day of use must leave the shelves, and is what relabellers look for. An extension that an
--   authority gave counts. A pack inside a case is where the case is; three levels are followed.
-- parameter: time time = null | the day that is asked for; that of the newest block when left out
-- column: gln | GLN of who has them, where the registry knows him
-- column: name | his name
-- column: holder | his address
-- column: chain | the chain that tells it
-- column: gtin | the product
-- column: lot | the lot
-- column: expiry | last day of use, extended or not
-- column: days | days since then
-- column: packs | how many packs

WITH asked AS (
    SELECT CAST(coalesce($time, max(time)) AS DATE) AS today FROM blocks
),
extended AS (
    SELECT chain, gtin, lot, max(expiry) AS expiry
    FROM registry_extensions
    WHERE to_block IS NULL
    GROUP BY chain, gtin, lot
),
placed AS (
    SELECT k.chain, k.gtin, k.lot, greatest(k.expiry, x.expiry) AS expiry,
        coalesce(k.possessor, p1.possessor, p2.possessor, p3.possessor) AS holder
    FROM items k
    LEFT JOIN extended x ON x.chain = k.chain AND x.gtin = k.gtin AND x.lot = k.lot
    LEFT JOIN items p1 ON p1.chain = k.chain AND p1.item = k.parent
    LEFT JOIN items p2 ON p2.chain = p1.chain AND p2.item = p1.parent
    LEFT JOIN items p3 ON p3.chain = p2.chain AND p3.item = p2.parent
    WHERE k.serial IS NOT NULL
      AND k.state IN ('active', 'in_transit', 'packed', 'partially_dispensed')
)
SELECT a.gln, a.name, k.holder, k.chain, k.gtin, k.lot, k.expiry,
    CAST(q.today AS INTEGER) - CAST(k.expiry AS INTEGER) AS days,
    count(*) AS packs
FROM placed k
CROSS JOIN asked q
LEFT JOIN actors a ON a.chain = k.chain AND a.address = k.holder
WHERE k.expiry < q.today
GROUP BY a.gln, a.name, k.holder, k.chain, k.gtin, k.lot, k.expiry, q.today
ORDER BY packs DESC, k.expiry, k.gtin, k.lot, k.chain, k.holder
LIMIT $limit
