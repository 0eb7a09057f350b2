//! A payment gateway of our own over HTTP, for development and the demo.
