//! The dispatcher from outside: drawn towns, random inputs, whole evenings.

mod acceptance;
mod advice;
mod bundles;
mod by_hand;
mod etas;
mod evening;
mod lost_drivers;
mod offers;
mod properties;
mod requests;
mod rounds;
mod searches;
mod town;
