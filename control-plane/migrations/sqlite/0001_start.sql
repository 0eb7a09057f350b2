-- Times are Unix milliseconds of the city's clock, amounts are minor units, positions 1e-7 degrees.

CREATE TABLE restaurant (
    restaurant_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    lat_e7 INTEGER NOT NULL,
    lng_e7 INTEGER NOT NULL,
    cuisine TEXT,
    address TEXT,
    created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX restaurant_by_place ON restaurant (lat_e7, lng_e7);

CREATE TABLE menu_item (
    item_id BLOB NOT NULL PRIMARY KEY,
    restaurant_id BLOB NOT NULL REFERENCES restaurant (restaurant_id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    price_minor INTEGER NOT NULL CHECK (price_minor >= 0),
    available INTEGER NOT NULL CHECK (available IN (0, 1))
) STRICT;
CREATE INDEX menu_item_by_restaurant ON menu_item (restaurant_id, position);

CREATE TABLE customer (
    customer_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE quote (
    quote_id BLOB NOT NULL PRIMARY KEY,
    customer_id BLOB NOT NULL REFERENCES customer (customer_id),
    restaurant_id BLOB NOT NULL REFERENCES restaurant (restaurant_id),
    expires_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

-- The log: what happened to orders. Rows are only ever added.
CREATE TABLE order_event (
    order_id BLOB NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 1),
    at_ms INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    PRIMARY KEY (order_id, seq)
) STRICT;
CREATE TRIGGER order_event_keeps_rows BEFORE UPDATE ON order_event
BEGIN SELECT RAISE(ABORT, 'order_event is insert-only'); END;
CREATE TRIGGER order_event_loses_none BEFORE DELETE ON order_event
BEGIN SELECT RAISE(ABORT, 'order_event is insert-only'); END;

-- The read index: a fold of the log that can be rebuilt at any time.
CREATE TABLE order_index (
    order_id BLOB NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    restaurant_id BLOB NOT NULL,
    quote_id BLOB NOT NULL,
    state TEXT NOT NULL,
    delivery_state TEXT NOT NULL,
    placed_at_ms INTEGER NOT NULL,
    delivered_at_ms INTEGER,
    deadline_ms INTEGER,
    body TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE UNIQUE INDEX order_index_by_quote ON order_index (quote_id);
CREATE INDEX order_index_by_customer ON order_index (customer_id, order_id);
CREATE INDEX order_index_by_restaurant ON order_index (restaurant_id, order_id);
CREATE INDEX order_index_by_deadline ON order_index (deadline_ms);
CREATE INDEX order_index_by_state ON order_index (state);

CREATE TABLE idempotency_key (
    principal TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (principal, key)
) STRICT;

-- The work queue of the payment worker; the truth about a payment is in the order's log.
CREATE TABLE payment (
    order_id BLOB NOT NULL PRIMARY KEY,
    payment_id BLOB NOT NULL,
    phase TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at_ms INTEGER
) STRICT;
CREATE INDEX payment_by_due ON payment (next_at_ms);

CREATE TABLE ledger_transfer (
    order_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (order_id, kind)
) STRICT;
CREATE TABLE ledger_entry (
    order_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    position INTEGER NOT NULL,
    account TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
    currency TEXT NOT NULL,
    PRIMARY KEY (order_id, kind, position),
    FOREIGN KEY (order_id, kind) REFERENCES ledger_transfer (order_id, kind)
) STRICT;
CREATE INDEX ledger_entry_by_account ON ledger_entry (account);
CREATE TRIGGER ledger_entry_keeps_rows BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'ledger_entry is insert-only'); END;
CREATE TRIGGER ledger_entry_loses_none BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'ledger_entry is insert-only'); END;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    destination TEXT NOT NULL CHECK (destination IN ('dispatch', 'bus')),
    order_id BLOB NOT NULL,
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    attempts INTEGER NOT NULL,
    next_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_by_due ON outbox (destination, next_at_ms, id);

CREATE TABLE inbox (
    consumer TEXT NOT NULL,
    event_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (consumer, event_id)
) STRICT;

CREATE TABLE stream_cursor (
    consumer TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT;

CREATE TABLE receipt (
    order_id BLOB NOT NULL PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

CREATE TABLE review (
    order_id BLOB NOT NULL PRIMARY KEY,
    restaurant_id BLOB NOT NULL,
    rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 5),
    text TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX review_by_restaurant ON review (restaurant_id, order_id);
