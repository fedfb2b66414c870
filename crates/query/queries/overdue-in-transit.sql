-- title: Shipments that should have arrived
-- asks: the logistics of a manufacturer or wholesaler; an investigator of thefts
-- why: What is long on the way is lost, stolen, or was received where nobody said so. A lane's own time counts, that of
--   both parties before that of one; without any, the days that are asked for.
-- parameter: days integer = 14 | days in transit that are usual where the registry has no lane
-- parameter: time time = null | the time of judgement; that of the newest block when left out
-- column: chain | the chain
-- column: item | what was sent
-- column: consignor | who sent it
-- column: consignor_name | his name, where the registry knows him
-- column: consignee | whom it was sent to
-- column: consignee_name | his name
-- column: shipped_time | when, declared or block time
-- column: usual_secs | seconds that it may take
-- column: overdue_secs | seconds beyond these

WITH asked AS (
    SELECT coalesce($time, max(time)) AS moment FROM blocks
),
lanes AS (
    SELECT l.chain, l.consignor, l.consignee, max(l.p99_secs) AS secs
    FROM registry_lanes l
    CROSS JOIN asked q
    WHERE l.to_block IS NULL
      AND (l.valid_from IS NULL OR l.valid_from <= q.moment)
      AND (l.valid_to IS NULL OR q.moment < l.valid_to)
    GROUP BY l.chain, l.consignor, l.consignee
),
open AS (
    SELECT s.chain, s.item, s.branch, s.consignor, f.gln AS from_gln, f.name AS consignor_name,
        s.consignee, t.gln AS to_gln, t.name AS consignee_name, s.shipped_time, s.shipped_block, s.shipped_log,
        CAST(q.moment AS BIGINT) - CAST(s.shipped_time AS BIGINT) AS secs
    FROM shipments s
    CROSS JOIN asked q
    LEFT JOIN actors f ON f.chain = s.chain AND f.address = s.consignor
    LEFT JOIN actors t ON t.chain = s.chain AND t.address = s.consignee
    WHERE s.status = 'open' OR s.ended_time > q.moment
),
judged AS (
    SELECT o.*, coalesce(l1.secs, l2.secs, l3.secs, l4.secs, $days * 86400) AS usual_secs
    FROM open o
    LEFT JOIN lanes l1 ON l1.chain = o.chain AND l1.consignor = o.from_gln AND l1.consignee = o.to_gln
    LEFT JOIN lanes l2 ON l2.chain = o.chain AND l2.consignor = o.from_gln AND l2.consignee IS NULL
    LEFT JOIN lanes l3 ON l3.chain = o.chain AND l3.consignor IS NULL AND l3.consignee = o.to_gln
    LEFT JOIN lanes l4 ON l4.chain = o.chain AND l4.consignor IS NULL AND l4.consignee IS NULL
)
SELECT chain, item, consignor, consignor_name, consignee, consignee_name, shipped_time, usual_secs,
    secs - usual_secs AS overdue_secs
FROM judged
WHERE secs > usual_secs
ORDER BY overdue_secs DESC, chain, item, branch, shipped_block, shipped_log
LIMIT $limit
