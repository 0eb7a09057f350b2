//! Queries on any graph by its own node numbers, for graphs that are no road networks.

use super::{Cch, CustomizedMetric, Query, Seeds};
use crate::units::INFINITY;

/// Scratch memory of one thread for weights from node to node of one hierarchy.
pub struct PlainQuery {
    query: Query,
    from: Seeds,
    to: Seeds,
}

impl PlainQuery {
    /// Memory for the nodes of a hierarchy.
    #[must_use]
    pub fn new(cch: &Cch) -> Self {
        Self {
            query: Query::new(cch),
            from: Seeds::default(),
            to: Seeds::default(),
        }
    }

    /// The weight of a shortest way from one node of the graph to another; `None` where there is no way.
    ///
    /// # Panics
    /// If the graph has no such nodes, or the hierarchy is not the one that this was made for.
    #[must_use]
    pub fn weight(
        &mut self,
        cch: &Cch,
        metric: &CustomizedMetric,
        from: u32,
        to: u32,
    ) -> Option<u32> {
        for (seeds, node) in [(&mut self.from, from), (&mut self.to, to)] {
            seeds.clear();
            seeds.push(cch.rank_of(node), 0);
        }
        let meeting = self
            .query
            .run(cch, metric.search(), &self.from, &self.to, INFINITY)?;
        Some(meeting.time)
    }
}
