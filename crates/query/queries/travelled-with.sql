-- title: What travelled with an item
-- asks: an investigator who has one falsified pack, or a shipment that got warm
-- why: What was in the same case at the same time came from the same hands. Both the case around the item and, where it
--   has one, the pallet around that are looked into.
-- parameter: item item | key of the item
-- column: chain | the chain
-- column: companion | key of the other item
-- column: parent | what both were inside of
-- column: since | from when both were, declared or block time
-- column: until | until when; null while they still are
-- column: state | where the other's story stands now
-- column: possessor | who has it now; null inside something
-- column: name | his name, where the registry knows him

WITH own AS (
    SELECT chain, child, parent, from_time, to_time FROM containment WHERE child = $item
    UNION
    SELECT b.chain, b.child, b.parent, greatest(a.from_time, b.from_time) AS from_time,
        coalesce(least(a.to_time, b.to_time), a.to_time, b.to_time) AS to_time
    FROM containment a
    JOIN containment b ON b.chain = a.chain AND b.child = a.parent
    WHERE a.child = $item
      AND (b.to_time IS NULL OR a.from_time < b.to_time)
      AND (a.to_time IS NULL OR b.from_time < a.to_time)
)
SELECT c.chain, c.child AS companion, c.parent, greatest(o.from_time, c.from_time) AS since,
    coalesce(least(o.to_time, c.to_time), o.to_time, c.to_time) AS until, i.state, i.possessor, a.name
FROM own o
JOIN containment c ON c.chain = o.chain AND c.parent = o.parent
LEFT JOIN items i ON i.chain = c.chain AND i.item = c.child
LEFT JOIN actors a ON a.chain = i.chain AND a.address = i.possessor
WHERE c.child <> o.child
  AND (c.to_time IS NULL OR o.from_time < c.to_time)
  AND (o.to_time IS NULL OR c.from_time < o.to_time)
ORDER BY since, c.chain, companion, c.parent, until
LIMIT $limit
