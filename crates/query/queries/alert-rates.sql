-- title: Alerts for every 10,000 steps of a party
-- asks: a regulator who decides whom to inspect
-- why: A large party has more alerts because it does more. Held against its own steps, the careless and the crooked
--   stand out. Cases under a root, and those that were explained, are not counted.
-- parameter: least_steps integer = 1 | only parties with so many steps
-- column: gln | GLN of the accused party
-- column: name | its name
-- column: role | what it does
-- column: rule | code of the rule
-- column: alerts | open roots of this rule
-- column: steps | steps of the party, on all chains
-- column: per_10000 | alerts for every 10,000 steps

WITH parties AS (
    SELECT gln, max(name) AS name, max(role) AS role FROM actors GROUP BY gln
),
steps AS (
    SELECT a.gln, count(*) AS steps
    FROM events e
    JOIN actors a ON a.chain = e.chain AND a.address = e.actor
    WHERE e.item IS NOT NULL
    GROUP BY a.gln
),
accused AS (
    SELECT coalesce(a.gln, l.accused) AS gln, l.rule
    FROM alerts l
    LEFT JOIN actors a ON a.chain = l.chain AND a.address = l.accused
    WHERE l.root IS NULL AND l.standing <> 'explained' AND l.accused IS NOT NULL
)
SELECT p.gln, p.name, p.role, c.rule, count(*) AS alerts, s.steps,
    CAST(CAST(count(*) * 10000.0 / s.steps AS DECIMAL(14, 2)) AS DOUBLE) AS per_10000
FROM accused c
JOIN parties p ON p.gln = c.gln
JOIN steps s ON s.gln = c.gln
WHERE s.steps >= $least_steps
GROUP BY p.gln, p.name, p.role, c.rule, s.steps
ORDER BY per_10000 DESC, p.gln, c.rule
LIMIT $limit
