//! What all HTTP servers of the product have in common: how they listen, are watched and stop, and the files of the pages.

pub mod content;
pub mod figures;
pub mod limits;
pub mod pages;
pub mod private;
pub mod readiness;
pub mod serve;
mod streams;
pub mod tls;
