-- title: Who handles medicines and is in no registry
-- asks: a regulator; whoever keeps the registry
-- why: An address without a party behind it is a wallet that somebody forgot to register, or somebody who hopes not to
--   be found. Those that the most goods went through come first.
-- parameter: since time = null | only steps in blocks from this time on
-- column: chain | the chain
-- column: address | the address
-- column: steps | custody steps by it
-- column: items | different items
-- column: kinds | the kinds of its steps
-- column: refused | steps that did not fit the item's story
-- column: first_time | its first, block time
-- column: last_time | its last

SELECT e.chain, e.actor AS address,
    count(*) AS steps,
    count(DISTINCT e.item) AS items,
    string_agg(DISTINCT e.kind, ' ' ORDER BY e.kind) AS kinds,
    count(CASE WHEN NOT e.legal THEN 1 END) AS refused,
    min(e.block_time) AS first_time,
    max(e.block_time) AS last_time
FROM events e
LEFT JOIN actors a ON a.chain = e.chain AND a.address = e.actor
WHERE a.address IS NULL
  AND e.actor IS NOT NULL
  AND e.kind IN (
      'commissioning', 'shipping', 'receiving', 'accepting', 'void_shipping', 'packing', 'unpacking',
      'dispensing', 'partial_dispensing', 'decommissioning', 'destroying', 'reactivating', 'returning', 'exporting'
  )
  AND ($since IS NULL OR e.block_time >= $since)
GROUP BY e.chain, e.actor
ORDER BY items DESC, steps DESC, e.chain, address
LIMIT $limit
