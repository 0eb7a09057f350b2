-- Which stream a cursor is of: dispatch may have begun another one. Empty: not known yet.
ALTER TABLE stream_cursor ADD COLUMN stream TEXT NOT NULL DEFAULT '';

-- Ended orders by day of Unix time and state; a sum over the shards. Open orders are counted where they are.
CREATE TABLE ended_orders (
    day INTEGER NOT NULL,
    state TEXT NOT NULL,
    shard INTEGER NOT NULL,
    orders INTEGER NOT NULL,
    PRIMARY KEY (day, state, shard)
) STRICT;
INSERT INTO ended_orders (day, state, shard, orders)
SELECT placed_at_ms / 86400000, state, 0, count(*) FROM order_index WHERE deadline_ms IS NULL
GROUP BY placed_at_ms / 86400000, state;

-- Times from click to door by day: buckets of ten seconds, the last one open.
CREATE TABLE click_to_door (
    day INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    orders INTEGER NOT NULL,
    total_ms INTEGER NOT NULL,
    PRIMARY KEY (day, bucket)
) STRICT;
INSERT INTO click_to_door (day, bucket, orders, total_ms)
SELECT delivered_at_ms / 86400000, min(max(delivered_at_ms - placed_at_ms, 0) / 10000, 8639), count(*), CAST(sum(max(delivered_at_ms - placed_at_ms, 0)) AS INTEGER)
FROM order_index WHERE state = 'delivered' AND delivered_at_ms IS NOT NULL
GROUP BY delivered_at_ms / 86400000, min(max(delivered_at_ms - placed_at_ms, 0) / 10000, 8639);

-- What restaurants are searched by: name and cuisine, case folded in Rust. Rows of an older version are completed at start.
ALTER TABLE restaurant ADD COLUMN search TEXT;
