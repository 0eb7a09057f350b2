//! What all HTTP servers of the product have in common: the files of the pages and how they are sent.

pub mod content;
pub mod pages;
