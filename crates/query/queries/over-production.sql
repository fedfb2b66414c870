-- title: Lots with more packs than were declared
-- asks: a regulator, or the quality department of a manufacturer
-- why: Serials beyond the declared quantity of a lot are packs that nobody made lawfully. Packs that were withdrawn by
--   their maker before they left him are taken off; a pack that two chains know counts once.
-- parameter: gtin gtin = null | only lots of this product
-- column: gtin | the product
-- column: product | its name
-- column: lot | the lot
-- column: declared | packs that the registry declares
-- column: commissioned | different serials that were commissioned
-- column: withdrawn | of these, withdrawn by their maker before they left him
-- column: excess | what is too much
-- column: first_time | the first commissioning, declared or block time
-- column: last_time | the last

WITH declared AS (
    SELECT gtin, lot, CAST(max(quantity) AS BIGINT) AS declared
    FROM registry_lots
    WHERE to_block IS NULL AND quantity IS NOT NULL
    GROUP BY gtin, lot
),
products AS (
    SELECT gtin, max(name) AS product
    FROM registry_products
    WHERE to_block IS NULL
    GROUP BY gtin
),
made AS (
    SELECT gtin, lot,
        count(DISTINCT serial) AS commissioned,
        count(DISTINCT CASE WHEN state IN ('inactive', 'destroyed') AND possessor = maker THEN serial END) AS withdrawn,
        min(commissioned_at) AS first_time,
        max(commissioned_at) AS last_time
    FROM items
    WHERE commissioned_at IS NOT NULL
      AND serial IS NOT NULL
      AND ($gtin IS NULL OR gtin = $gtin)
    GROUP BY gtin, lot
)
SELECT m.gtin, p.product, m.lot, d.declared, m.commissioned, m.withdrawn,
    m.commissioned - m.withdrawn - d.declared AS excess, m.first_time, m.last_time
FROM made m
JOIN declared d ON d.gtin = m.gtin AND d.lot = m.lot
LEFT JOIN products p ON p.gtin = m.gtin
WHERE m.commissioned - m.withdrawn > d.declared
ORDER BY excess DESC, m.gtin, m.lot
LIMIT $limit
