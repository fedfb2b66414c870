-- title: One identity on two living tokens
-- asks: an investigator of a regulator, or of the product's owner
-- why: A serial is given once. Two living tokens of it, on one chain or on two, mean that one was copied. Tokens that
--   an announced migration or a registered bridge left behind are none.
-- parameter: gtin gtin = null | only packs of this product
-- column: item | key of the pack
-- column: tokens | living tokens of it, on all chains
-- column: chain | chain of this token
-- column: contract | its contract
-- column: token_id | its number there
-- column: minted_block | block of its mint, where seen
-- column: owner | who owns it on the chain
-- column: gln | the owner's GLN, where the registry knows him
-- column: name | the owner's name

WITH living AS (
    SELECT t.item, t.chain, t.contract, t.token_id, t.owner, t.minted_block
    FROM tokens t
    WHERE t.burnt_block IS NULL
      AND t.item LIKE '01/%/21/%'
      AND ($gtin IS NULL OR starts_with(t.item, concat('01/', $gtin, '/')))
      AND NOT EXISTS (
          SELECT 1
          FROM lineage l
          WHERE l.item = t.item
            AND l.source_contract = t.contract
            AND l.source_token_id = t.token_id
            AND l.link IN ('migrated', 'bridged')
      )
),
copied AS (
    SELECT item, count(*) AS tokens
    FROM living
    GROUP BY item
    HAVING count(*) > 1
)
SELECT c.item, c.tokens, t.chain, t.contract, t.token_id, t.minted_block, t.owner, a.gln, a.name
FROM copied c
JOIN living t ON t.item = c.item
LEFT JOIN actors a ON a.chain = t.chain AND a.address = t.owner
ORDER BY c.item, t.chain, t.contract, t.token_id
LIMIT $limit
