-- title: Where the packs of a lot are now
-- asks: whoever runs a recall
-- why: A recall is over when every pack is accounted for. A pack inside a case is where the case is; up to three levels
--   around a pack are followed.
-- parameter: gtin gtin | the product
-- parameter: lot text = null | the lot; all lots when left out
-- column: chain | the chain that tells it
-- column: state | where its story stands; of a pack inside something, where that stands
-- column: holder | who has it; the sender, while it is on the way
-- column: gln | his GLN, where the registry knows him
-- column: name | his name
-- column: country | his country
-- column: consignee | whom it is on the way to
-- column: consignee_name | his name, where the registry knows him
-- column: packs | how many packs
-- column: inside | how many of these are inside a case or pallet

WITH placed AS (
    SELECT k.chain, k.item, k.parent,
        CASE WHEN k.state = 'packed' THEN coalesce(p3.state, p2.state, p1.state, k.state) ELSE k.state END AS state,
        coalesce(k.possessor, p1.possessor, p2.possessor, p3.possessor) AS holder,
        coalesce(k.consignee, p1.consignee, p2.consignee, p3.consignee) AS consignee
    FROM items k
    LEFT JOIN items p1 ON p1.chain = k.chain AND p1.item = k.parent
    LEFT JOIN items p2 ON p2.chain = p1.chain AND p2.item = p1.parent
    LEFT JOIN items p3 ON p3.chain = p2.chain AND p3.item = p2.parent
    WHERE k.gtin = $gtin
      AND k.serial IS NOT NULL
      AND ($lot IS NULL OR k.lot = $lot)
)
SELECT k.chain, k.state, k.holder, a.gln, a.name, a.country, k.consignee, c.name AS consignee_name,
    count(*) AS packs, count(k.parent) AS inside
FROM placed k
LEFT JOIN actors a ON a.chain = k.chain AND a.address = k.holder
LEFT JOIN actors c ON c.chain = k.chain AND c.address = k.consignee
GROUP BY k.chain, k.state, k.holder, a.gln, a.name, a.country, k.consignee, c.name
ORDER BY packs DESC, k.chain, k.state, k.holder, k.consignee
LIMIT $limit
