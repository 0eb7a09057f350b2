//! The simulated people against the running servers, over real sockets.
