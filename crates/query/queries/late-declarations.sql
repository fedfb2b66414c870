-- title: Who declares steps long after they happened
-- asks: an inspector; the quality department of a party
-- why: A step that is told days later was captured late, or was made up to fit: before a licence ran out, before a
--   recall. Held against all its steps, a habit shows.
-- parameter: hours integer = 24 | hours between the declared time and the block from which on it is late
-- column: gln | GLN of the party, where the registry knows it
-- column: name | its name
-- column: address | its address
-- column: chain | the chain
-- column: steps | its steps with a declared time
-- column: late | of these, declared late
-- column: share | late ones of all
-- column: longest_secs | the longest delay, in seconds

WITH told AS (
    SELECT chain, actor, CAST(block_time AS BIGINT) - CAST(event_time AS BIGINT) AS lag_secs
    FROM events
    WHERE event_time IS NOT NULL AND actor IS NOT NULL
),
counted AS (
    SELECT chain, actor, count(*) AS steps,
        count(CASE WHEN lag_secs > $hours * 3600 THEN 1 END) AS late,
        max(lag_secs) AS longest_secs
    FROM told
    GROUP BY chain, actor
)
SELECT a.gln, a.name, c.actor AS address, c.chain, c.steps, c.late,
    CAST(CAST(CAST(c.late AS DOUBLE) / c.steps AS DECIMAL(14, 4)) AS DOUBLE) AS share, c.longest_secs
FROM counted c
LEFT JOIN actors a ON a.chain = c.chain AND a.address = c.actor
WHERE c.late > 0
ORDER BY c.late DESC, c.chain, address
LIMIT $limit
