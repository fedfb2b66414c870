-- title: Contracts that claim products of others
-- asks: a manufacturer whose products are imitated
-- why: Any contract may emit any log. One that the registry does not name and that speaks of a product which has an
--   authoritative contract claims what is not its own; worse once known parties take goods from it.
-- parameter: gtin gtin = null | only claims of this product
-- column: chain | the chain
-- column: contract | the contract
-- column: products | products that it claims
-- column: items | packs, cases and lots that it claims
-- column: events | what it said of them
-- column: receivers | parties of the registry that took goods from it
-- column: first_time | its first claim, block time
-- column: last_time | its last

WITH authoritative AS (
    SELECT c.gtin
    FROM registry_contracts c
    WHERE c.tier = 'authoritative' AND c.to_block IS NULL AND c.gtin IS NOT NULL
    UNION
    SELECT p.gtin
    FROM registry_products p
    JOIN registry_contracts c ON c.chain = p.chain
    WHERE c.tier = 'authoritative' AND c.to_block IS NULL AND c.gtin IS NULL AND p.to_block IS NULL
)
SELECT e.chain, e.token_contract AS contract,
    count(DISTINCT e.gtin) AS products,
    count(DISTINCT e.item) AS items,
    count(*) AS events,
    count(DISTINCT CASE WHEN e.kind IN ('receiving', 'accepting') THEN a.gln END) AS receivers,
    min(e.block_time) AS first_time,
    max(e.block_time) AS last_time
FROM events e
JOIN authoritative g ON g.gtin = e.gtin
LEFT JOIN actors a ON a.chain = e.chain AND a.address = e.actor
WHERE e.authority = 'unknown'
  AND ($gtin IS NULL OR e.gtin = $gtin)
GROUP BY e.chain, e.token_contract
ORDER BY receivers DESC, events DESC, e.chain, contract
LIMIT $limit
