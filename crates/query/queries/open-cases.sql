-- title: Open cases by rule
-- asks: the head of a team that works on alerts
-- why: What is open, how bad, and how old decides who looks at what today. Cases that hang under another are counted
--   as its members.
-- column: severity | critical, high, medium or low
-- column: rule | code of the rule
-- column: open | roots that stand
-- column: in_grace | of these, still within their grace
-- column: provisional | of these, raised by blocks that the chain may still take back
-- column: members | alerts that they took in
-- column: oldest_time | block time of the oldest
-- column: newest_time | block time of the newest

WITH graded (severity, grade) AS (
    VALUES ('critical', 1), ('high', 2), ('medium', 3), ('low', 4)
),
cases AS (
    SELECT severity, rule,
        count(*) AS open,
        count(CASE WHEN standing = 'in_grace' THEN 1 END) AS in_grace,
        count(CASE WHEN finality = 'provisional' THEN 1 END) AS provisional,
        sum(members) AS members,
        min(raised_at) AS oldest_time,
        max(raised_at) AS newest_time
    FROM alerts
    WHERE root IS NULL AND standing <> 'explained'
    GROUP BY severity, rule
)
SELECT c.severity, c.rule, c.open, c.in_grace, c.provisional, c.members, c.oldest_time, c.newest_time
FROM cases c
JOIN graded g ON g.severity = c.severity
ORDER BY g.grade, c.open DESC, c.rule, c.severity
LIMIT $limit
