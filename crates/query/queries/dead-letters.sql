-- title: Logs that could not be read, by contract
-- asks: whoever runs rxtrail
-- why: A log that is no event is a blind spot. A contract of which much cannot be read has changed, or its profile is
--   wrong; one that nobody can read at all may be meant not to be.
-- parameter: contract address = null | only this contract
-- column: chain | the chain
-- column: contract | the contract
-- column: reason | why, as a code
-- column: dead_letters | how many
-- column: share | of all that the contract logged, read or not
-- column: example | what was wrong with the first of them
-- column: first_block | block of the first
-- column: last_block | block of the last

WITH dead AS (
    SELECT chain, contract, reason,
        count(*) AS dead_letters,
        first_value(detail ORDER BY block_number, log_index, sub_index) AS example,
        min(block_number) AS first_block,
        max(block_number) AS last_block
    FROM dead_letters
    WHERE $contract IS NULL OR contract = $contract
    GROUP BY chain, contract, reason
),
unread AS (
    SELECT chain, contract, sum(dead_letters) AS unread FROM dead GROUP BY chain, contract
),
read AS (
    SELECT chain, contract, count(*) AS events
    FROM events
    WHERE $contract IS NULL OR contract = $contract
    GROUP BY chain, contract
)
SELECT d.chain, d.contract, d.reason, d.dead_letters,
    CAST(CAST(CAST(d.dead_letters AS DOUBLE) / (u.unread + coalesce(r.events, 0)) AS DECIMAL(14, 4)) AS DOUBLE) AS share,
    d.example, d.first_block, d.last_block
FROM dead d
JOIN unread u ON u.chain = d.chain AND u.contract = d.contract
LEFT JOIN read r ON r.chain = d.chain AND r.contract = d.contract
ORDER BY d.dead_letters DESC, d.chain, d.contract, d.reason
LIMIT $limit
