//! Numbers of nodes, edges and roads, each a type of its own.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $word:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The id of the `index`th entry.
            ///
            /// # Panics
            /// If `index` does not fit 32 bits; a network refuses to grow that large.
            #[must_use]
            pub fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).expect("a network holds fewer than 2^31 entries"))
            }

            /// Where its entry is.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, concat!($word, " {}"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{}", self.0)
            }
        }
    };
}

id!(
    /// A junction, an end of a road, or another point where edges meet.
    NodeId,
    "node"
);
id!(
    /// One direction of a road: from its tail to its head.
    EdgeId,
    "edge"
);
id!(
    /// A stretch between two nodes, with the geometry that its one or two edges share.
    RoadId,
    "road"
);
