-- Which stream a cursor is of: dispatch may have begun another one. Empty: not known yet.
ALTER TABLE stream_cursor ADD COLUMN stream text NOT NULL DEFAULT '';

-- Ended orders by day of Unix time and state; a sum over the shards. Open orders are counted where they are.
CREATE TABLE ended_orders (
    day bigint NOT NULL,
    state text NOT NULL,
    shard bigint NOT NULL,
    orders bigint NOT NULL,
    PRIMARY KEY (day, state, shard)
);
INSERT INTO ended_orders (day, state, shard, orders)
SELECT placed_at_ms / 86400000, state, 0, count(*) FROM order_index WHERE deadline_ms IS NULL
GROUP BY placed_at_ms / 86400000, state;

-- Times from click to door by day: buckets of ten seconds, the last one open.
CREATE TABLE click_to_door (
    day bigint NOT NULL,
    bucket bigint NOT NULL,
    orders bigint NOT NULL,
    total_ms bigint NOT NULL,
    PRIMARY KEY (day, bucket)
);
INSERT INTO click_to_door (day, bucket, orders, total_ms)
SELECT delivered_at_ms / 86400000, least(greatest(delivered_at_ms - placed_at_ms, 0) / 10000, 8639), count(*), CAST(sum(greatest(delivered_at_ms - placed_at_ms, 0)) AS bigint)
FROM order_index WHERE state = 'delivered' AND delivered_at_ms IS NOT NULL
GROUP BY delivered_at_ms / 86400000, least(greatest(delivered_at_ms - placed_at_ms, 0) / 10000, 8639);

-- What restaurants are searched by: name and cuisine, case folded in Rust. Rows of an older version are completed at start.
ALTER TABLE restaurant ADD COLUMN search text;
