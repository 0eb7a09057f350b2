//! End-to-end tests of the binary, a file a theme.
