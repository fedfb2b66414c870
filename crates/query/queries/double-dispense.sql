-- title: Packs that were dispensed twice
-- asks: a regulator; a payer who paid twice
-- why: A pack is supplied once. Of two supplies one is of a copy, or was never made. A reactivation in between, and the
--   words of contracts that the registry does not name, make none. What two chains say is put in order by time.
-- parameter: gtin gtin = null | only packs of this product
-- column: item | key of the pack
-- column: first_time | when it was dispensed before, declared or block time
-- column: first_actor | by whom
-- column: first_name | his name, where the registry knows him
-- column: again_time | when it was dispensed again
-- column: again_actor | by whom
-- column: again_name | his name
-- column: chain | where the second stands: the chain
-- column: block_number | the block
-- column: log_index | the log
-- column: sub_index | the entry within it

WITH steps AS (
    SELECT e.item, e.kind, e.actor, a.name, coalesce(e.event_time, e.block_time) AS moment,
        e.block_time, e.chain, e.block_number, e.log_index, e.sub_index
    FROM events e
    LEFT JOIN actors a ON a.chain = e.chain AND a.address = e.actor
    WHERE e.kind IN ('dispensing', 'reactivating')
      AND e.item IS NOT NULL
      AND e.authority <> 'unknown'
      AND ($gtin IS NULL OR e.gtin = $gtin)
),
told AS (
    SELECT *,
        lag(kind) OVER w AS before_kind,
        lag(moment) OVER w AS before_moment,
        lag(actor) OVER w AS before_actor,
        lag(name) OVER w AS before_name
    FROM steps
    WINDOW w AS (PARTITION BY item ORDER BY block_time, chain, block_number, log_index, sub_index)
)
SELECT item, before_moment AS first_time, before_actor AS first_actor, before_name AS first_name,
    moment AS again_time, actor AS again_actor, name AS again_name, chain, block_number, log_index, sub_index
FROM told
WHERE kind = 'dispensing' AND before_kind = 'dispensing'
ORDER BY again_time, item, chain, block_number, log_index, sub_index
LIMIT $limit
