//! A city in virtual time on the real dispatch core.
