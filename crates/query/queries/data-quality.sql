-- title: What the steps on a contract leave out
-- asks: whoever runs rxtrail, and the owner of the contract
-- why: A step without its time, place or lot cannot be held against a licence, a lane or a recall. Which contract
--   leaves them out says where rules are blind.
-- parameter: contract address = null | only this contract
-- column: chain | the chain
-- column: contract | the contract whose tokens the steps are of
-- column: steps | custody steps
-- column: without_time | share without a declared time
-- column: without_place | share without a place
-- column: without_lot | share of those on packs without a known lot
-- column: tokens | tokens of the contract
-- column: unnamed | share of these that stand for no product or logistic unit

WITH told AS (
    SELECT chain, token_contract AS contract,
        count(*) AS steps,
        count(event_time) AS timed,
        count(place) AS placed,
        count(CASE WHEN item LIKE '01/%/21/%' THEN 1 END) AS on_packs,
        count(CASE WHEN item LIKE '01/%/21/%' THEN lot END) AS with_lot
    FROM events
    WHERE kind IN (
            'commissioning', 'shipping', 'receiving', 'accepting', 'void_shipping', 'packing', 'unpacking',
            'dispensing', 'partial_dispensing', 'decommissioning', 'destroying', 'reactivating', 'holding',
            'inspecting', 'returning', 'exporting'
        )
      AND ($contract IS NULL OR token_contract = $contract)
    GROUP BY chain, token_contract
),
minted AS (
    SELECT chain, contract, count(*) AS tokens,
        count(CASE WHEN item IS NULL OR starts_with(item, 'eip155:') THEN 1 END) AS unnamed
    FROM tokens
    GROUP BY chain, contract
)
SELECT t.chain, t.contract, t.steps,
    CAST(CAST(1 - CAST(t.timed AS DOUBLE) / t.steps AS DECIMAL(14, 4)) AS DOUBLE) AS without_time,
    CAST(CAST(1 - CAST(t.placed AS DOUBLE) / t.steps AS DECIMAL(14, 4)) AS DOUBLE) AS without_place,
    CAST(CAST(1 - CAST(t.with_lot AS DOUBLE) / nullif(t.on_packs, 0) AS DECIMAL(14, 4)) AS DOUBLE) AS without_lot,
    coalesce(m.tokens, 0) AS tokens,
    CAST(CAST(CAST(m.unnamed AS DOUBLE) / m.tokens AS DECIMAL(14, 4)) AS DOUBLE) AS unnamed
FROM told t
LEFT JOIN minted m ON m.chain = t.chain AND m.contract = t.contract
ORDER BY t.steps DESC, t.chain, t.contract
LIMIT $limit
