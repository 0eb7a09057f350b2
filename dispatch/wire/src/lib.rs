//! Bytes to messages and back: the driver protocol and the dispatch RPC.
