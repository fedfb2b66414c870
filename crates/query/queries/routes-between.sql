-- title: The routes of goods from one party to another
-- asks: an investigator who knows where goods were sound and where they were not
-- why: Between the two, somebody handed them on. A route that few items took, or one through a stranger, is where to
--   look. Each item counts by what was told of itself: a case under its own key, a pack once it was taken out.
-- parameter: from_party text | GLN of the party that had them first
-- parameter: to_party text | GLN of the party that had them later
-- parameter: gtin gtin = null | only items of this product
-- column: route | who had them in turn, by GLN, or by address where the registry knows nobody
-- column: hand_overs | how often they changed hands
-- column: items | how many items took it
-- column: first_time | when the first item of it began at the first party
-- column: last_time | when the last item of it came to the last party

WITH tenures AS (
    SELECT c.chain, c.item, a.gln, coalesce(a.gln, c.holder) AS holder, c.from_time,
        CAST(c.from_block AS BIGINT) * 4294967296 + c.from_log AS place
    FROM custody c
    LEFT JOIN actors a ON a.chain = c.chain AND a.address = c.holder
    WHERE c.role = 'possessor'
      AND c.branch = 0
      AND ($gtin IS NULL OR starts_with(c.item, concat('01/', $gtin, '/')))
),
begun AS (
    SELECT chain, item, min(place) AS place
    FROM tenures
    WHERE gln = $from_party
    GROUP BY chain, item
),
ended AS (
    SELECT t.chain, t.item, min(b.place) AS since, min(t.place) AS until
    FROM tenures t
    JOIN begun b ON b.chain = t.chain AND b.item = t.item
    WHERE t.gln = $to_party AND t.place > b.place
    GROUP BY t.chain, t.item
),
routes AS (
    SELECT t.chain, t.item,
        string_agg(t.holder, ' > ' ORDER BY t.place) AS route,
        count(*) - 1 AS hand_overs,
        min(t.from_time) AS begun_time,
        max(t.from_time) AS ended_time
    FROM tenures t
    JOIN ended e ON e.chain = t.chain AND e.item = t.item
    WHERE t.place BETWEEN e.since AND e.until
    GROUP BY t.chain, t.item
)
SELECT route, hand_overs, count(*) AS items, min(begun_time) AS first_time, max(ended_time) AS last_time
FROM routes
GROUP BY route, hand_overs
ORDER BY items DESC, route
LIMIT $limit
