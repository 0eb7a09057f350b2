-- Which request caused a message, for the logs of whoever it is sent to.
ALTER TABLE outbox ADD COLUMN request_id TEXT;
