//! The event bus of the control plane on NATS JetStream.
