-- title: What an address has minted
-- asks: an investigator who has a suspicious minter
-- why: A stolen or invented key mints in bursts, for lots that nobody declared, or on a contract of its own. The one
--   for whom a token is minted counts, not who paid for the transaction.
-- parameter: minter address | the address
-- column: chain | the chain
-- column: contract | the contract of the tokens
-- column: authority | how far the registry believed it: authoritative, recognised, unknown
-- column: gtin | the product
-- column: lot | the lot
-- column: items | different items
-- column: refused | commissionings that did not fit the item's story
-- column: alerts | alerts that they raised and that stand
-- column: first_time | the first, block time
-- column: last_time | the last

WITH raised AS (
    SELECT chain, block_number, log_index, sub_index, count(*) AS alerts
    FROM alerts
    WHERE standing <> 'explained'
    GROUP BY chain, block_number, log_index, sub_index
)
SELECT e.chain, e.token_contract AS contract, e.authority, e.gtin, e.lot,
    count(DISTINCT e.item) AS items,
    count(CASE WHEN NOT e.legal THEN 1 END) AS refused,
    coalesce(sum(r.alerts), 0) AS alerts,
    min(e.block_time) AS first_time,
    max(e.block_time) AS last_time
FROM events e
LEFT JOIN raised r ON r.chain = e.chain AND r.block_number = e.block_number
    AND r.log_index = e.log_index AND r.sub_index = e.sub_index
WHERE e.kind = 'commissioning'
  AND coalesce(e.to_address, e.actor) = $minter
GROUP BY e.chain, e.token_contract, e.authority, e.gtin, e.lot
ORDER BY first_time, e.chain, contract, e.gtin, e.lot, e.authority
LIMIT $limit
