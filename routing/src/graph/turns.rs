//! Turns that signs forbid or command; kept with the network, not yet applied by the router.

use crate::ids::{EdgeId, NodeId};

/// Whether a turn is forbidden or the only one allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RestrictionKind {
    /// `no_left_turn` and its kin.
    No = 0,
    /// `only_straight_on` and its kin.
    Only = 1,
}

impl RestrictionKind {
    /// The kind that an archive's byte stands for.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::No),
            1 => Some(Self::Only),
            _ => None,
        }
    }
}

/// One turn from an edge over a node to an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnRestriction {
    /// The edge that enters the node.
    pub from: EdgeId,
    /// The node where the turn happens: head of `from`, tail of `to`.
    pub via: NodeId,
    /// The edge that leaves the node.
    pub to: EdgeId,
    /// Forbidden or commanded.
    pub kind: RestrictionKind,
}
