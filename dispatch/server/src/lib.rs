//! Dispatch on the network: QUIC for drivers, gRPC for the control plane.
