-- Times are Unix milliseconds of the city's clock, amounts are minor units, positions 1e-7 degrees.

CREATE TABLE restaurant (
    restaurant_id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    lat_e7 bigint NOT NULL,
    lng_e7 bigint NOT NULL,
    cuisine text,
    address text,
    created_at_ms bigint NOT NULL
);
CREATE INDEX restaurant_by_place ON restaurant (lat_e7, lng_e7);

CREATE TABLE menu_item (
    item_id uuid NOT NULL PRIMARY KEY,
    restaurant_id uuid NOT NULL REFERENCES restaurant (restaurant_id),
    position bigint NOT NULL,
    name text NOT NULL,
    price_minor bigint NOT NULL CHECK (price_minor >= 0),
    available bigint NOT NULL CHECK (available IN (0, 1))
);
CREATE INDEX menu_item_by_restaurant ON menu_item (restaurant_id, position);

CREATE TABLE customer (
    customer_id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    created_at_ms bigint NOT NULL
);

CREATE TABLE quote (
    quote_id uuid NOT NULL PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customer (customer_id),
    restaurant_id uuid NOT NULL REFERENCES restaurant (restaurant_id),
    expires_at_ms bigint NOT NULL,
    body text NOT NULL CHECK (body::json IS NOT NULL)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME; END $$;

-- The log: what happened to orders. Rows are only ever added.
CREATE TABLE order_event (
    order_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 1),
    at_ms bigint NOT NULL,
    body text NOT NULL CHECK (body::json IS NOT NULL),
    PRIMARY KEY (order_id, seq)
);
CREATE TRIGGER order_event_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_event
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The read index: a fold of the log that can be rebuilt at any time.
CREATE TABLE order_index (
    order_id uuid NOT NULL PRIMARY KEY,
    seq bigint NOT NULL,
    customer_id uuid NOT NULL,
    restaurant_id uuid NOT NULL,
    quote_id uuid NOT NULL,
    state text NOT NULL,
    delivery_state text NOT NULL,
    placed_at_ms bigint NOT NULL,
    delivered_at_ms bigint,
    deadline_ms bigint,
    body text NOT NULL CHECK (body::json IS NOT NULL)
);
CREATE UNIQUE INDEX order_index_by_quote ON order_index (quote_id);
CREATE INDEX order_index_by_customer ON order_index (customer_id, order_id);
CREATE INDEX order_index_by_restaurant ON order_index (restaurant_id, order_id);
CREATE INDEX order_index_by_deadline ON order_index (deadline_ms);
CREATE INDEX order_index_by_state ON order_index (state);

CREATE TABLE idempotency_key (
    principal text NOT NULL,
    key text NOT NULL,
    request_hash text NOT NULL,
    status bigint NOT NULL,
    body text NOT NULL,
    created_at_ms bigint NOT NULL,
    PRIMARY KEY (principal, key)
);

-- The work queue of the payment worker; the truth about a payment is in the order's log.
CREATE TABLE payment (
    order_id uuid NOT NULL PRIMARY KEY,
    payment_id uuid NOT NULL,
    phase text NOT NULL,
    attempts bigint NOT NULL,
    next_at_ms bigint
);
CREATE INDEX payment_by_due ON payment (next_at_ms);

CREATE TABLE ledger_transfer (
    order_id uuid NOT NULL,
    kind text NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (order_id, kind)
);
CREATE TABLE ledger_entry (
    order_id uuid NOT NULL,
    kind text NOT NULL,
    position bigint NOT NULL,
    account text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    currency text NOT NULL,
    PRIMARY KEY (order_id, kind, position),
    FOREIGN KEY (order_id, kind) REFERENCES ledger_transfer (order_id, kind)
);
CREATE INDEX ledger_entry_by_account ON ledger_entry (account);
CREATE TRIGGER ledger_entry_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination text NOT NULL CHECK (destination IN ('dispatch', 'bus')),
    order_id uuid NOT NULL,
    subject text NOT NULL,
    message_id text NOT NULL,
    body text NOT NULL CHECK (body::json IS NOT NULL),
    attempts bigint NOT NULL,
    next_at_ms bigint NOT NULL
);
CREATE INDEX outbox_by_due ON outbox (destination, next_at_ms, id);

CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id text NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (consumer, event_id)
);

CREATE TABLE stream_cursor (
    consumer text NOT NULL PRIMARY KEY,
    position bigint NOT NULL
);

CREATE TABLE receipt (
    order_id uuid NOT NULL PRIMARY KEY,
    at_ms bigint NOT NULL,
    body text NOT NULL CHECK (body::json IS NOT NULL)
);

CREATE TABLE review (
    order_id uuid NOT NULL PRIMARY KEY,
    restaurant_id uuid NOT NULL,
    rating bigint NOT NULL CHECK (rating BETWEEN 1 AND 5),
    text text NOT NULL,
    at_ms bigint NOT NULL
);
CREATE INDEX review_by_restaurant ON review (restaurant_id, order_id);
