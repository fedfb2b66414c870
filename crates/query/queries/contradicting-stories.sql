-- title: Items of which several stories are told
-- asks: an investigator
-- why: A pack cannot be in two hands. Where steps do not fit the story with provenance, a second one begins: who tells
--   it, and who has the pack by it, is where a copy or a theft shows.
-- parameter: gtin gtin = null | only items of this product
-- column: chain | the chain
-- column: item | key of the item
-- column: state | where the story with provenance stands
-- column: possessor | who has the item by it
-- column: possessor_name | his name, where the registry knows him
-- column: branch | number of the other story
-- column: holder | who has, or last had, the item by that
-- column: holder_name | his name
-- column: since | since when, declared or block time
-- column: steps | steps that were told of the other story

WITH told AS (
    SELECT c.chain, c.item, c.branch, c.holder, c.from_time,
        row_number() OVER (
            PARTITION BY c.chain, c.item, c.branch
            ORDER BY c.from_block DESC, c.from_log DESC, c.from_sub DESC, c.holder
        ) AS nth
    FROM custody c
    WHERE c.role = 'possessor' AND c.branch > 0
),
steps AS (
    SELECT chain, item, branch, count(*) AS steps
    FROM events
    WHERE branch > 0
    GROUP BY chain, item, branch
)
SELECT i.chain, i.item, i.state, i.possessor, a.name AS possessor_name, t.branch, t.holder, b.name AS holder_name,
    t.from_time AS since, coalesce(s.steps, 0) AS steps
FROM items i
JOIN told t ON t.chain = i.chain AND t.item = i.item AND t.nth = 1
LEFT JOIN steps s ON s.chain = t.chain AND s.item = t.item AND s.branch = t.branch
LEFT JOIN actors a ON a.chain = i.chain AND a.address = i.possessor
LEFT JOIN actors b ON b.chain = t.chain AND b.address = t.holder
WHERE i.branches > 1
  AND ($gtin IS NULL OR i.gtin = $gtin)
ORDER BY i.chain, i.item, t.branch
LIMIT $limit
