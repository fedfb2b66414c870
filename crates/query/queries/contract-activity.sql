-- title: What a contract did, day by day
-- asks: an investigator who has a contract and no story
-- why: A contract that wakes after months, changes its kinds of events, or begins to contradict itself, shows it in its
--   days.
-- parameter: contract address | the contract
-- parameter: since time = null | from this block time on
-- parameter: until time = null | before this block time
-- column: chain | the chain
-- column: day | the day, UTC, by block time
-- column: kind | kind of event
-- column: events | how many
-- column: items | on how many items
-- column: actors | by how many addresses
-- column: refused | how many did not fit the item's story

SELECT chain, CAST(date_trunc('day', block_time) AS DATE) AS day, kind,
    count(*) AS events,
    count(DISTINCT item) AS items,
    count(DISTINCT actor) AS actors,
    count(CASE WHEN NOT legal THEN 1 END) AS refused
FROM events
WHERE contract = $contract
  AND ($since IS NULL OR block_time >= $since)
  AND ($until IS NULL OR block_time < $until)
GROUP BY chain, CAST(date_trunc('day', block_time) AS DATE), kind
ORDER BY day, chain, kind
LIMIT $limit
