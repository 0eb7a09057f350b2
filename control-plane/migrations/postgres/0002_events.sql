-- Payments with a log of their own, transfers by their own id, an outbox by key, leases that name their process, a journal of changes.

-- A payment's own log. The order's log repeats what an order hears of its payment.
CREATE TABLE payment_event (
    payment_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 1),
    at_ms bigint NOT NULL,
    body text NOT NULL CHECK (body::json IS NOT NULL),
    PRIMARY KEY (payment_id, seq)
);
INSERT INTO payment_event (payment_id, seq, at_ms, body)
SELECT p.payment_id, row_number() OVER (PARTITION BY e.order_id ORDER BY e.seq), e.at_ms,
       CASE WHEN e.seq = 1 THEN json_build_object('opened', json_build_object(
                'order_id', e.body::json -> 'opened' ->> 'order_id',
                'amount', json_build_object('minor', e.body::json -> 'opened' -> 'price' -> 'total_minor',
                                            'currency', e.body::json -> 'opened' -> 'price' ->> 'currency'),
                'method', e.body::json -> 'opened' ->> 'payment_method'))::text
            ELSE json_build_object('moved', e.body::json -> 'payment')::text END
FROM order_event e JOIN payment p ON p.order_id = e.order_id
WHERE e.seq = 1 OR e.body::json -> 'payment' IS NOT NULL;
CREATE TRIGGER payment_event_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_event
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The work queue of the payment worker; an order may have several payments. `holder` is the process that has the lease.
ALTER TABLE payment DROP CONSTRAINT payment_pkey;
ALTER TABLE payment ADD PRIMARY KEY (payment_id);
ALTER TABLE payment ADD COLUMN holder uuid;
CREATE INDEX payment_by_order ON payment (order_id);
CREATE INDEX payment_by_holder ON payment (holder) WHERE holder IS NOT NULL;

-- `reference` is the text of the id of what moved the money: at most one transfer of a kind for each.
ALTER TABLE ledger_entry RENAME TO old_ledger_entry;
ALTER INDEX ledger_entry_pkey RENAME TO old_ledger_entry_pkey;
ALTER INDEX ledger_entry_by_account RENAME TO old_ledger_entry_by_account;
ALTER TABLE ledger_transfer RENAME TO old_ledger_transfer;
ALTER INDEX ledger_transfer_pkey RENAME TO old_ledger_transfer_pkey;
CREATE TABLE ledger_transfer (
    transfer_id uuid NOT NULL PRIMARY KEY,
    reference text NOT NULL CHECK (reference <> ''),
    kind text NOT NULL,
    order_id uuid,
    at_ms bigint NOT NULL
);
CREATE UNIQUE INDEX ledger_transfer_by_reference ON ledger_transfer (reference, kind);
CREATE INDEX ledger_transfer_by_order ON ledger_transfer (order_id);
CREATE TABLE ledger_entry (
    transfer_id uuid NOT NULL REFERENCES ledger_transfer (transfer_id),
    position bigint NOT NULL,
    account text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    currency text NOT NULL,
    PRIMARY KEY (transfer_id, position)
);
INSERT INTO ledger_transfer (transfer_id, reference, kind, order_id, at_ms)
SELECT gen_random_uuid(),
       CASE WHEN t.kind = 'settlement' THEN 'ord_' || replace(t.order_id::text, '-', '')
            ELSE 'pay_' || replace(p.payment_id::text, '-', '') END,
       t.kind, t.order_id, t.at_ms
FROM old_ledger_transfer t JOIN payment p ON p.order_id = t.order_id;
INSERT INTO ledger_entry (transfer_id, position, account, amount_minor, currency)
SELECT t.transfer_id, e.position, e.account, e.amount_minor, e.currency
FROM old_ledger_entry e JOIN ledger_transfer t ON t.order_id = e.order_id AND t.kind = e.kind;
DROP TABLE old_ledger_entry;
DROP TABLE old_ledger_transfer;
CREATE INDEX ledger_entry_by_account ON ledger_entry (account);
CREATE TRIGGER ledger_transfer_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfer
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entry_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receipt_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Messages of one key (destination, aggregate, aggregate_id) leave strictly in the order of their ids.
ALTER TABLE outbox DROP CONSTRAINT outbox_destination_check;
ALTER TABLE outbox ADD CHECK (destination <> '');
ALTER TABLE outbox RENAME COLUMN order_id TO aggregate_id;
ALTER TABLE outbox ADD COLUMN aggregate text NOT NULL DEFAULT 'order';
UPDATE outbox SET aggregate = 'delivery' WHERE destination = 'dispatch';
ALTER TABLE outbox ALTER COLUMN aggregate DROP DEFAULT;
ALTER TABLE outbox ADD COLUMN created_at_ms bigint NOT NULL DEFAULT 0;
UPDATE outbox SET created_at_ms = next_at_ms;
ALTER TABLE outbox ALTER COLUMN created_at_ms DROP DEFAULT;
ALTER TABLE outbox ADD COLUMN holder uuid;
CREATE INDEX outbox_by_key ON outbox (destination, aggregate, aggregate_id, id);
CREATE INDEX outbox_by_holder ON outbox (holder) WHERE holder IS NOT NULL;

-- Running processes: a lease whose holder is not here, or whose `beat` stands still, is free.
CREATE TABLE process (
    process_id uuid NOT NULL PRIMARY KEY,
    instance text NOT NULL,
    beat bigint NOT NULL,
    started_at_ms bigint NOT NULL
);
CREATE UNIQUE INDEX process_by_instance ON process (instance);

-- Which orders changed, for the other processes. `xid` is the transaction that wrote the row: ids may commit out of order.
CREATE TABLE order_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    order_id uuid NOT NULL,
    at_ms bigint NOT NULL
);
CREATE INDEX order_change_by_xid ON order_change (xid, order_id);
CREATE INDEX order_change_by_age ON order_change (at_ms);

-- Rows from before `before_ms` may be deleted; only the retention job moves it.
CREATE TABLE retention (
    subject text NOT NULL PRIMARY KEY,
    before_ms bigint NOT NULL
);
CREATE FUNCTION refuse_early_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.created_at_ms >= coalesce((SELECT before_ms FROM retention WHERE subject = TG_TABLE_NAME), 0) THEN
        RAISE EXCEPTION '% is insert-only until its retention ends', TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER idempotency_key_is_insert_only BEFORE UPDATE OR TRUNCATE ON idempotency_key
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER idempotency_key_is_kept BEFORE DELETE ON idempotency_key
FOR EACH ROW EXECUTE FUNCTION refuse_early_delete();
CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at_ms);
CREATE INDEX quote_by_expiry ON quote (expires_at_ms);
CREATE INDEX inbox_by_age ON inbox (at_ms);
