-- title: Steps without a licence in force
-- asks: an inspector of a regulator
-- why: Who makes, trades or dispenses medicines needs a licence for it where he is. Each step is held against the
--   licences as the registry knows them now, at the time of the step: a licence that was renewed in time leaves no gap.
-- parameter: since time = null | only steps in blocks from this time on
-- column: gln | GLN of the party
-- column: name | its name
-- column: country | its country
-- column: role | what it does
-- column: licence | revoked, suspended, or none in force
-- column: kind | the kind of step
-- column: steps | how many
-- column: items | on how many items
-- column: first_time | the first, declared or block time
-- column: last_time | the last

WITH needed (role, kind) AS (
    VALUES
        ('manufacturer', 'manufacturing'), ('contract_maker', 'manufacturing'),
        ('repackager', 'repackaging'), ('repackager', 'manufacturing'),
        ('wholesaler', 'wholesale'),
        ('logistics', 'logistics'), ('logistics', 'wholesale'),
        ('dispenser', 'dispensing'),
        ('reverse_distributor', 'disposal'), ('reverse_distributor', 'wholesale')
),
licences AS (
    SELECT a.chain, a.address, l.kind, l.status,
        coalesce(CAST(l.valid_from AS BIGINT), -9000000000000) AS since,
        coalesce(CAST(l.valid_to AS BIGINT), 9000000000000) AS until
    FROM actors a
    JOIN needed n ON n.role = a.role
    JOIN registry_licences l ON l.chain = a.chain AND l.party = a.gln AND l.kind = n.kind
    WHERE l.to_block IS NULL
      AND l.jurisdiction IN ('*', a.country)
),
edges AS (
    SELECT chain, address, kind, since AS edge FROM licences
    UNION
    SELECT chain, address, kind, until AS edge FROM licences
),
spans AS (
    SELECT chain, address, kind, edge AS since,
        lead(edge) OVER (PARTITION BY chain, address, kind ORDER BY edge) AS until
    FROM edges
),
allowed AS (
    SELECT s.chain, s.address, s.kind, s.since, s.until
    FROM spans s
    JOIN licences l ON l.chain = s.chain AND l.address = s.address AND l.kind = s.kind
    WHERE l.since <= s.since AND s.since < l.until
    GROUP BY s.chain, s.address, s.kind, s.since, s.until
    HAVING bool_and(l.status = 'active')
),
steps AS (
    SELECT e.chain, CASE WHEN e.kind = 'accepting' THEN e.to_address ELSE e.actor END AS address, e.kind, e.item,
        e.block_number, e.log_index, e.sub_index,
        coalesce(e.event_time, e.block_time) AS moment,
        CAST(coalesce(e.event_time, e.block_time) AS BIGINT) AS secs
    FROM events e
    WHERE e.kind IN (
            'commissioning', 'shipping', 'returning', 'receiving', 'accepting', 'dispensing', 'partial_dispensing'
        )
      AND e.authority <> 'unknown'
      AND ($since IS NULL OR e.block_time >= $since)
),
unlicensed AS (
    SELECT s.*
    FROM steps s
    WHERE NOT EXISTS (
        SELECT 1
        FROM allowed w
        WHERE w.chain = s.chain AND w.address = s.address AND w.since <= s.secs AND s.secs < w.until
    )
),
barred AS (
    SELECT chain, address, status, since, until FROM licences WHERE status <> 'active'
)
SELECT a.gln, a.name, a.country, a.role, coalesce(b.status, 'none in force') AS licence, u.kind,
    count(DISTINCT concat_ws(':', u.chain, u.block_number, u.log_index, u.sub_index)) AS steps,
    count(DISTINCT u.item) AS items,
    min(u.moment) AS first_time,
    max(u.moment) AS last_time
FROM unlicensed u
JOIN actors a ON a.chain = u.chain AND a.address = u.address
LEFT JOIN barred b ON b.chain = u.chain AND b.address = u.address AND b.since <= u.secs AND u.secs < b.until
WHERE a.role <> 'authority'
GROUP BY a.gln, a.name, a.country, a.role, coalesce(b.status, 'none in force'), u.kind
ORDER BY steps DESC, a.gln, licence, u.kind, a.name, a.country, a.role
LIMIT $limit
