-- Payments with a log of their own, transfers by their own id, an outbox by key, leases that name their process, a journal of changes.

-- A payment's own log. The order's log repeats what an order hears of its payment.
CREATE TABLE payment_event (
    payment_id BLOB NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 1),
    at_ms INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    PRIMARY KEY (payment_id, seq)
) STRICT;
INSERT INTO payment_event (payment_id, seq, at_ms, body)
SELECT p.payment_id, row_number() OVER (PARTITION BY e.order_id ORDER BY e.seq), e.at_ms,
       CASE WHEN e.seq = 1 THEN json_object('opened', json_object(
                'order_id', e.body ->> '$.opened.order_id',
                'amount', json_object('minor', e.body ->> '$.opened.price.total_minor',
                                      'currency', e.body ->> '$.opened.price.currency'),
                'method', e.body ->> '$.opened.payment_method'))
            ELSE json_object('moved', json(e.body -> '$.payment')) END
FROM order_event e JOIN payment p ON p.order_id = e.order_id
WHERE e.seq = 1 OR e.body -> '$.payment' IS NOT NULL;
CREATE TRIGGER payment_event_keeps_rows BEFORE UPDATE ON payment_event
BEGIN SELECT RAISE(ABORT, 'payment_event is insert-only'); END;
CREATE TRIGGER payment_event_loses_none BEFORE DELETE ON payment_event
BEGIN SELECT RAISE(ABORT, 'payment_event is insert-only'); END;

-- The work queue of the payment worker; an order may have several payments. `holder` is the process that has the lease.
DROP INDEX payment_by_due;
ALTER TABLE payment RENAME TO old_payment;
CREATE TABLE payment (
    payment_id BLOB NOT NULL PRIMARY KEY,
    order_id BLOB NOT NULL,
    phase TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at_ms INTEGER,
    holder BLOB
) STRICT;
INSERT INTO payment (payment_id, order_id, phase, attempts, next_at_ms)
SELECT payment_id, order_id, phase, attempts, next_at_ms FROM old_payment;
DROP TABLE old_payment;
CREATE INDEX payment_by_due ON payment (next_at_ms);
CREATE INDEX payment_by_order ON payment (order_id);
CREATE INDEX payment_by_holder ON payment (holder) WHERE holder IS NOT NULL;

-- `reference` is the text of the id of what moved the money: at most one transfer of a kind for each.
ALTER TABLE ledger_transfer RENAME TO old_ledger_transfer;
ALTER TABLE ledger_entry RENAME TO old_ledger_entry;
CREATE TABLE ledger_transfer (
    transfer_id BLOB NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL CHECK (reference <> ''),
    kind TEXT NOT NULL,
    order_id BLOB,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX ledger_transfer_by_reference ON ledger_transfer (reference, kind);
CREATE INDEX ledger_transfer_by_order ON ledger_transfer (order_id);
CREATE TABLE ledger_entry (
    transfer_id BLOB NOT NULL REFERENCES ledger_transfer (transfer_id),
    position INTEGER NOT NULL,
    account TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
    currency TEXT NOT NULL,
    PRIMARY KEY (transfer_id, position)
) STRICT;
INSERT INTO ledger_transfer (transfer_id, reference, kind, order_id, at_ms)
SELECT randomblob(16),
       CASE WHEN t.kind = 'settlement' THEN 'ord_' || lower(hex(t.order_id)) ELSE 'pay_' || lower(hex(p.payment_id)) END,
       t.kind, t.order_id, t.at_ms
FROM old_ledger_transfer t JOIN payment p ON p.order_id = t.order_id;
INSERT INTO ledger_entry (transfer_id, position, account, amount_minor, currency)
SELECT t.transfer_id, e.position, e.account, e.amount_minor, e.currency
FROM old_ledger_entry e JOIN ledger_transfer t ON t.order_id = e.order_id AND t.kind = e.kind;
-- A dropped table fires no trigger and takes its own triggers and indexes with it.
DROP TABLE old_ledger_entry;
DROP TABLE old_ledger_transfer;
CREATE INDEX ledger_entry_by_account ON ledger_entry (account);
CREATE TRIGGER ledger_transfer_keeps_rows BEFORE UPDATE ON ledger_transfer
BEGIN SELECT RAISE(ABORT, 'ledger_transfer is insert-only'); END;
CREATE TRIGGER ledger_transfer_loses_none BEFORE DELETE ON ledger_transfer
BEGIN SELECT RAISE(ABORT, 'ledger_transfer is insert-only'); END;
CREATE TRIGGER ledger_entry_keeps_rows BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'ledger_entry is insert-only'); END;
CREATE TRIGGER ledger_entry_loses_none BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'ledger_entry is insert-only'); END;
CREATE TRIGGER receipt_keeps_rows BEFORE UPDATE ON receipt
BEGIN SELECT RAISE(ABORT, 'receipt is insert-only'); END;
CREATE TRIGGER receipt_loses_none BEFORE DELETE ON receipt
BEGIN SELECT RAISE(ABORT, 'receipt is insert-only'); END;

-- Messages of one key (destination, aggregate, aggregate_id) leave strictly in the order of their ids.
DROP INDEX outbox_by_due;
ALTER TABLE outbox RENAME TO old_outbox;
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    destination TEXT NOT NULL CHECK (destination <> ''),
    aggregate TEXT NOT NULL,
    aggregate_id BLOB NOT NULL,
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    created_at_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_at_ms INTEGER NOT NULL,
    holder BLOB
) STRICT;
INSERT INTO outbox (id, destination, aggregate, aggregate_id, subject, message_id, body, created_at_ms, attempts, next_at_ms)
SELECT id, destination, CASE WHEN destination = 'dispatch' THEN 'delivery' ELSE 'order' END, order_id, subject, message_id, body,
       next_at_ms, attempts, next_at_ms
FROM old_outbox ORDER BY id;
DROP TABLE old_outbox;
CREATE INDEX outbox_by_due ON outbox (destination, next_at_ms, id);
CREATE INDEX outbox_by_key ON outbox (destination, aggregate, aggregate_id, id);
CREATE INDEX outbox_by_holder ON outbox (holder) WHERE holder IS NOT NULL;

-- Running processes: a lease whose holder is not here, or whose `beat` stands still, is free.
CREATE TABLE process (
    process_id BLOB NOT NULL PRIMARY KEY,
    instance TEXT NOT NULL,
    beat INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX process_by_instance ON process (instance);

-- Which orders changed, for the other processes. `xid` is the transaction that wrote the row on PostgreSQL; here ids commit in order.
CREATE TABLE order_change (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    xid INTEGER NOT NULL DEFAULT 0,
    order_id BLOB NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX order_change_by_xid ON order_change (xid, order_id);
CREATE INDEX order_change_by_age ON order_change (at_ms);

-- Rows from before `before_ms` may be deleted; only the retention job moves it.
CREATE TABLE retention (
    subject TEXT NOT NULL PRIMARY KEY,
    before_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER idempotency_key_keeps_rows BEFORE UPDATE ON idempotency_key
BEGIN SELECT RAISE(ABORT, 'idempotency_key is insert-only'); END;
CREATE TRIGGER idempotency_key_is_kept BEFORE DELETE ON idempotency_key
WHEN OLD.created_at_ms >= coalesce((SELECT before_ms FROM retention WHERE subject = 'idempotency_key'), 0)
BEGIN SELECT RAISE(ABORT, 'idempotency_key is insert-only until its retention ends'); END;
CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at_ms);
CREATE INDEX quote_by_expiry ON quote (expires_at_ms);
CREATE INDEX inbox_by_age ON inbox (at_ms);
