-- title: Steps by keys in other hands
-- asks: the security officer of a party; a regulator after a report
-- why: From the time at which a key is known to be compromised, what it signs is not its party's word. Everything that
--   it touched since must be looked at again.
-- parameter: party text = null | only keys of this party, by its GLN
-- column: chain | the chain
-- column: address | the key's address
-- column: gln | GLN of the party that it belonged to
-- column: name | its name
-- column: kind | kind of step
-- column: steps | how many
-- column: items | on how many items
-- column: first_time | the first, block time
-- column: last_time | the last

WITH keys AS (
    SELECT chain, address, party, valid_from, valid_to
    FROM registry_wallets
    WHERE status = 'compromised'
      AND to_block IS NULL
      AND (on_chain IS NULL OR on_chain = chain)
      AND ($party IS NULL OR party = $party)
),
parties AS (
    SELECT chain, gln, max(name) AS name
    FROM registry_parties
    WHERE to_block IS NULL
    GROUP BY chain, gln
)
SELECT e.chain, k.address, k.party AS gln, p.name, e.kind,
    count(*) AS steps,
    count(DISTINCT e.item) AS items,
    min(e.block_time) AS first_time,
    max(e.block_time) AS last_time
FROM keys k
JOIN events e ON e.chain = k.chain AND e.actor = k.address
LEFT JOIN parties p ON p.chain = k.chain AND p.gln = k.party
WHERE (k.valid_from IS NULL OR k.valid_from <= e.block_time)
  AND (k.valid_to IS NULL OR e.block_time < k.valid_to)
GROUP BY e.chain, k.address, k.party, p.name, e.kind
ORDER BY steps DESC, e.chain, k.address, e.kind, k.party
LIMIT $limit
