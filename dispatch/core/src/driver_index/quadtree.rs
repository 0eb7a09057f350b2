//! The tree: squares of E7 coordinates, each split in four while it holds more drivers than a block.

use doorstep_routing::LatLng;

use super::Attributes;
use crate::DriverId;

/// Drivers in a leaf: small enough to look at all of them, large enough that a step seldom leaves it.
pub(super) const BLOCK: usize = 32;
/// A leaf whose square has a side of `2^LEVEL_MIN` steps (some 3 m) is not split: its further drivers go to blocks behind it.
const LEVEL_MIN: u8 = 8;
/// The whole Earth: E7 coordinates have 32 bits.
const LEVEL_MAX: u8 = 32;
const NONE: u32 = u32::MAX;
const LEAF: u32 = 1 << 31;

/// A driver in the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) driver: DriverId,
    pub(super) at: LatLng,
    pub(super) attributes: Attributes,
}

/// Where an entry is: a leaf, a place in it, and the level of its square, so that a step within the square need not look at the leaf's
/// head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    leaf: u32,
    at: u16,
    level: u16,
}

/// A node, a leaf or nothing, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Child(u32);

pub(super) enum Kind<'a> {
    Nothing,
    Node(&'a [Child; 4]),
    Leaf(&'a Leaf),
}

/// A square: its south-western corner, counted from the south-western end of the coordinates, and the binary logarithm of its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Square {
    pub(super) north: u32,
    pub(super) east: u32,
    pub(super) level: u8,
}

impl Square {
    fn around(at: LatLng, level: u8) -> Self {
        let low = |value: u32| value & high_bits(level);
        Self {
            north: low(steps(at.lat_e7())),
            east: low(steps(at.lng_e7())),
            level,
        }
    }

    fn holds(self, at: LatLng) -> bool {
        let same = |a: u32, b: u32| u64::from(a ^ b) >> self.level == 0;
        same(self.north, steps(at.lat_e7())) && same(self.east, steps(at.lng_e7()))
    }

    /// South-west, south-east, north-west, north-east.
    fn quadrant(self, at: LatLng) -> usize {
        let bit = |value: u32| (value >> (self.level - 1) & 1) as usize;
        2 * bit(steps(at.lat_e7())) + bit(steps(at.lng_e7()))
    }

    pub(super) fn child(self, quadrant: usize) -> Self {
        let half = 1_u32 << (self.level - 1);
        Self {
            north: self.north + if quadrant & 2 == 0 { 0 } else { half },
            east: self.east + if quadrant & 1 == 0 { 0 } else { half },
            level: self.level - 1,
        }
    }

    fn parent(self) -> Self {
        let low = |value: u32| value & high_bits(self.level + 1);
        Self {
            north: low(self.north),
            east: low(self.east),
            level: self.level + 1,
        }
    }
}

/// All bits but so many low ones.
fn high_bits(level: u8) -> u32 {
    u32::MAX.checked_shl(level.into()).unwrap_or(0)
}

/// A coordinate counted from the lower end of its 32 bits.
pub(super) const fn steps(e7: i32) -> u32 {
    e7.cast_unsigned() ^ (1 << 31)
}

#[derive(Debug, Clone)]
struct Node {
    square: Square,
    parent: u32,
    children: [Child; 4],
}

/// The drivers of one square, column by column, so that a search computes all their distances at once.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    square: Square,
    parent: u32,
    /// The block behind this one, for squares that are not split.
    next: u32,
    count: u16,
    pub(super) lats: [i32; BLOCK],
    pub(super) lngs: [i32; BLOCK],
    pub(super) attributes: [u32; BLOCK],
    drivers: [DriverId; BLOCK],
}

impl Leaf {
    const fn new(square: Square, parent: u32) -> Self {
        Self {
            square,
            parent,
            next: NONE,
            count: 0,
            lats: [0; BLOCK],
            lngs: [0; BLOCK],
            attributes: [0; BLOCK],
            drivers: [DriverId(0); BLOCK],
        }
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.count)
    }

    pub(super) fn entry(&self, at: usize) -> Entry {
        Entry {
            driver: self.drivers[at],
            at: LatLng::from_e7(self.lats[at], self.lngs[at]),
            attributes: Attributes(self.attributes[at]),
        }
    }

    fn write(&mut self, at: usize, entry: Entry) {
        self.lats[at] = entry.at.lat_e7();
        self.lngs[at] = entry.at.lng_e7();
        self.attributes[at] = entry.attributes.0;
        self.drivers[at] = entry.driver;
    }

    /// The slot of a place in this leaf, whose number is given.
    const fn slot(&self, leaf: u32, at: u16) -> Slot {
        Slot {
            leaf,
            at,
            level: self.square.level as u16,
        }
    }

    /// Puts an entry at the end of this leaf, whose number is given.
    fn push(&mut self, leaf: u32, entry: Entry) -> Slot {
        let at = self.count;
        self.write(usize::from(at), entry);
        self.count += 1;
        self.slot(leaf, at)
    }
}

/// Positions by square. Does not know which driver is where: callers keep the [`Slot`]s and are told when one changes.
#[derive(Debug, Clone)]
pub(super) struct Quadtree {
    root: Child,
    nodes: Vec<Node>,
    leaves: Vec<Leaf>,
    free_nodes: Vec<u32>,
    free_leaves: Vec<u32>,
}

impl Default for Quadtree {
    fn default() -> Self {
        Self {
            root: Child(NONE),
            nodes: Vec::new(),
            leaves: Vec::new(),
            free_nodes: Vec::new(),
            free_leaves: Vec::new(),
        }
    }
}

impl Quadtree {
    pub(super) fn entry(&self, slot: Slot) -> Entry {
        self.leaves[slot.leaf as usize].entry(usize::from(slot.at))
    }

    /// Whether a place belongs to the leaf of a slot.
    pub(super) fn covers(&self, slot: Slot, at: LatLng) -> bool {
        let leaf = &self.leaves[slot.leaf as usize];
        let same = |a: i32, b: i32| u64::from((a ^ b).cast_unsigned()) >> slot.level == 0;
        let place = usize::from(slot.at);
        same(leaf.lats[place], at.lat_e7()) && same(leaf.lngs[place], at.lng_e7())
    }

    /// Moves an entry within its leaf.
    pub(super) fn overwrite(&mut self, slot: Slot, at: LatLng) {
        let leaf = &mut self.leaves[slot.leaf as usize];
        leaf.lats[usize::from(slot.at)] = at.lat_e7();
        leaf.lngs[usize::from(slot.at)] = at.lng_e7();
    }

    pub(super) fn set_attributes(&mut self, slot: Slot, attributes: Attributes) {
        self.leaves[slot.leaf as usize].attributes[usize::from(slot.at)] = attributes.0;
    }

    /// The root and its square; none: the tree is empty.
    pub(super) fn root(&self) -> Option<(Child, Square)> {
        (self.root != Child(NONE)).then(|| (self.root, self.square(self.root)))
    }

    pub(super) fn kind(&self, child: Child) -> Kind<'_> {
        match child.0 {
            NONE => Kind::Nothing,
            leaf if leaf & LEAF != 0 => Kind::Leaf(&self.leaves[(leaf & !LEAF) as usize]),
            node => Kind::Node(&self.nodes[node as usize].children),
        }
    }

    /// The block behind a leaf.
    pub(super) fn next(&self, leaf: &Leaf) -> Option<&Leaf> {
        (leaf.next != NONE).then(|| &self.leaves[leaf.next as usize])
    }

    /// Puts an entry in; `moved` hears the slot of it and of every other entry whose slot changes.
    pub(super) fn insert(&mut self, entry: Entry, mut moved: impl FnMut(DriverId, Slot)) {
        if self.root == Child(NONE) {
            self.root = self.new_leaf(Square::around(entry.at, LEVEL_MAX), NONE);
        }
        while !self.square(self.root).holds(entry.at) {
            self.raise_root();
        }
        let mut at = self.root;
        loop {
            if at.0 & LEAF != 0 {
                let leaf = at.0 & !LEAF;
                let row = &mut self.leaves[leaf as usize];
                if row.len() < BLOCK {
                    moved(entry.driver, row.push(leaf, entry));
                    return;
                }
                if row.square.level == LEVEL_MIN {
                    self.push_behind(leaf, entry, &mut moved);
                    return;
                }
                at = self.split(leaf, &mut moved);
            } else {
                let node = &self.nodes[at.0 as usize];
                let quadrant = node.square.quadrant(entry.at);
                let (child, square) = (node.children[quadrant], node.square.child(quadrant));
                at = if child == Child(NONE) {
                    let leaf = self.new_leaf(square, at.0);
                    self.nodes[at.0 as usize].children[quadrant] = leaf;
                    leaf
                } else {
                    child
                };
            }
        }
    }

    /// Takes an entry out; `moved` hears of every other entry whose slot changes.
    pub(super) fn remove(&mut self, slot: Slot, mut moved: impl FnMut(DriverId, Slot)) {
        let leaf = &mut self.leaves[slot.leaf as usize];
        leaf.count -= 1;
        let last = leaf.count;
        if slot.at != last {
            let entry = leaf.entry(usize::from(last));
            leaf.write(usize::from(slot.at), entry);
            moved(entry.driver, slot);
        }
        let square = leaf.square;
        if square.level == LEVEL_MIN {
            self.drop_empty_block(slot.leaf);
        } else if leaf.len() <= BLOCK / 4 {
            self.shrink(slot.leaf, &mut moved);
        }
    }

    /// Calls `holds` with every entry; whether it held for all, and every entry is in a square that is its own.
    pub(super) fn check(&self, mut holds: impl FnMut(Entry, Slot) -> bool) -> bool {
        let mut left = vec![(self.root, NONE)];
        let mut fine = true;
        while let Some((child, parent)) = left.pop() {
            match self.kind(child) {
                Kind::Nothing => {}
                Kind::Node(children) => {
                    let node = &self.nodes[child.0 as usize];
                    fine &= node.parent == parent && children.iter().any(|&one| one != Child(NONE));
                    for (quadrant, &one) in children.iter().enumerate() {
                        fine &=
                            one == Child(NONE) || self.square(one) == node.square.child(quadrant);
                        left.push((one, child.0));
                    }
                }
                Kind::Leaf(_) => {
                    let mut number = child.0 & !LEAF;
                    while number != NONE {
                        let leaf = &self.leaves[number as usize];
                        fine &= leaf.parent == parent
                            && (leaf.next == NONE || leaf.square.level == LEVEL_MIN);
                        for at in 0..leaf.count {
                            let entry = leaf.entry(usize::from(at));
                            fine &=
                                leaf.square.holds(entry.at) && holds(entry, leaf.slot(number, at));
                        }
                        number = leaf.next;
                    }
                }
            }
        }
        fine
    }

    /// How many nodes and leaves have been made.
    #[cfg(test)]
    pub(super) const fn rows(&self) -> usize {
        self.nodes.len() + self.leaves.len()
    }

    fn square(&self, child: Child) -> Square {
        match child.0 {
            leaf if leaf & LEAF != 0 => self.leaves[(leaf & !LEAF) as usize].square,
            node => self.nodes[node as usize].square,
        }
    }

    fn new_leaf(&mut self, square: Square, parent: u32) -> Child {
        let leaf = Leaf::new(square, parent);
        Child(LEAF | put(&mut self.leaves, &mut self.free_leaves, leaf))
    }

    /// A node over the root, of twice its side.
    fn raise_root(&mut self) {
        let below = self.square(self.root);
        let square = below.parent();
        let mut children = [Child(NONE); 4];
        let corner = LatLng::from_e7(e7(below.north), e7(below.east));
        children[square.quadrant(corner)] = self.root;
        let node = Node {
            square,
            parent: NONE,
            children,
        };
        let number = put(&mut self.nodes, &mut self.free_nodes, node);
        self.set_parent(self.root, number);
        self.root = Child(number);
    }

    /// Makes a node of a full leaf and gives its entries to up to four new leaves. A root that held the whole Earth becomes as small as
    /// its entries allow, so that searches in one city begin in that city.
    fn split(&mut self, leaf: u32, moved: &mut impl FnMut(DriverId, Slot)) -> Child {
        let old = self.leaves[leaf as usize].clone();
        let mut square = old.square;
        if old.parent == NONE {
            let (first, entries) = (old.entry(0).at, 1..old.len());
            let fits = |level: u8| {
                let around = Square::around(first, level);
                entries.clone().all(|at| around.holds(old.entry(at).at))
            };
            // Not the lowest level: it is a leaf's.
            let level = (LEVEL_MIN + 1..square.level).find(|&level| fits(level));
            square = level.map_or(square, |level| Square::around(first, level));
        }
        let node = Node {
            square,
            parent: old.parent,
            children: [Child(NONE); 4],
        };
        let number = put(&mut self.nodes, &mut self.free_nodes, node);
        self.replace(old.parent, Child(LEAF | leaf), Child(number));
        self.free_leaves.push(leaf);
        for at in 0..old.len() {
            let entry = old.entry(at);
            let quadrant = square.quadrant(entry.at);
            let mut child = self.nodes[number as usize].children[quadrant];
            if child == Child(NONE) {
                child = self.new_leaf(square.child(quadrant), number);
                self.nodes[number as usize].children[quadrant] = child;
            }
            let leaf = child.0 & !LEAF;
            moved(entry.driver, self.leaves[leaf as usize].push(leaf, entry));
        }
        Child(number)
    }

    /// Into the first block with room behind a full leaf of the lowest level, or into a new one.
    fn push_behind(&mut self, head: u32, entry: Entry, moved: &mut impl FnMut(DriverId, Slot)) {
        let mut last = head;
        while self.leaves[last as usize].len() == BLOCK {
            let (next, square, parent) = {
                let leaf = &self.leaves[last as usize];
                (leaf.next, leaf.square, leaf.parent)
            };
            last = if next == NONE {
                let new = self.new_leaf(square, parent).0 & !LEAF;
                self.leaves[last as usize].next = new;
                new
            } else {
                next
            };
        }
        moved(entry.driver, self.leaves[last as usize].push(last, entry));
    }

    /// Takes an empty block out of the chain of its square, and the square out of the tree with its last block.
    fn drop_empty_block(&mut self, block: u32) {
        let Leaf {
            count,
            next,
            parent,
            ..
        } = self.leaves[block as usize];
        if count > 0 {
            return;
        }
        let head = self.head(block);
        if head == block {
            let follower = if next == NONE {
                Child(NONE)
            } else {
                Child(LEAF | next)
            };
            self.replace(parent, Child(LEAF | block), follower);
            self.free_leaves.push(block);
            if next == NONE {
                self.drop_empty_node(parent);
            }
            return;
        }
        let mut before = head;
        while self.leaves[before as usize].next != block {
            before = self.leaves[before as usize].next;
        }
        self.leaves[before as usize].next = next;
        self.free_leaves.push(block);
    }

    /// Takes an empty leaf out, and merges a sparse one with its siblings while they fit into half a block.
    fn shrink(&mut self, mut leaf: u32, moved: &mut impl FnMut(DriverId, Slot)) {
        loop {
            let Leaf { count, parent, .. } = self.leaves[leaf as usize];
            let siblings = (parent != NONE).then(|| self.nodes[parent as usize].children);
            if let Some(siblings) = siblings
                && self.fit_together(&siblings)
            {
                leaf = self.merge(parent, &siblings, moved);
            } else {
                if count == 0 {
                    self.replace(parent, Child(LEAF | leaf), Child(NONE));
                    self.free_leaves.push(leaf);
                    self.drop_empty_node(parent);
                }
                return;
            }
        }
    }

    fn fit_together(&self, siblings: &[Child; 4]) -> bool {
        let mut total = 0;
        siblings.iter().all(|&child| match self.kind(child) {
            Kind::Nothing => true,
            Kind::Node(_) => false,
            Kind::Leaf(leaf) => {
                total += leaf.len();
                leaf.next == NONE && total <= BLOCK / 2
            }
        })
    }

    fn merge(
        &mut self,
        node: u32,
        siblings: &[Child; 4],
        moved: &mut impl FnMut(DriverId, Slot),
    ) -> u32 {
        let Node { square, parent, .. } = self.nodes[node as usize];
        let merged = self.new_leaf(square, parent);
        let number = merged.0 & !LEAF;
        for &child in siblings.iter().filter(|&&child| child != Child(NONE)) {
            let sibling = child.0 & !LEAF;
            for at in 0..self.leaves[sibling as usize].len() {
                let entry = self.leaves[sibling as usize].entry(at);
                moved(
                    entry.driver,
                    self.leaves[number as usize].push(number, entry),
                );
            }
            self.free_leaves.push(sibling);
        }
        self.replace(parent, Child(node), merged);
        self.free_nodes.push(node);
        number
    }

    fn drop_empty_node(&mut self, mut node: u32) {
        while node != NONE {
            let Node {
                parent, children, ..
            } = self.nodes[node as usize];
            if children.iter().any(|&child| child != Child(NONE)) {
                return;
            }
            self.replace(parent, Child(node), Child(NONE));
            self.free_nodes.push(node);
            node = parent;
        }
    }

    /// Puts one child of a node, or the root, in another's stead.
    fn replace(&mut self, parent: u32, old: Child, new: Child) {
        let place = match parent {
            NONE => &mut self.root,
            parent => {
                let children = &mut self.nodes[parent as usize].children;
                let place = children.iter_mut().find(|child| **child == old);
                place.expect("a parent has its children")
            }
        };
        *place = new;
        if new != Child(NONE) {
            self.set_parent(new, parent);
        }
    }

    fn set_parent(&mut self, child: Child, parent: u32) {
        match child.0 {
            leaf if leaf & LEAF != 0 => self.leaves[(leaf & !LEAF) as usize].parent = parent,
            node => self.nodes[node as usize].parent = parent,
        }
    }

    /// The first block of a block's square.
    fn head(&self, block: u32) -> u32 {
        let leaf = &self.leaves[block as usize];
        let node = &self.nodes[leaf.parent as usize];
        let corner = LatLng::from_e7(e7(leaf.square.north), e7(leaf.square.east));
        node.children[node.square.quadrant(corner)].0 & !LEAF
    }
}

/// The reverse of [`steps`].
const fn e7(steps: u32) -> i32 {
    (steps ^ (1 << 31)).cast_signed()
}

/// Puts a row where one was given back, or at the end; its number.
fn put<T>(rows: &mut Vec<T>, free: &mut Vec<u32>, row: T) -> u32 {
    if let Some(number) = free.pop() {
        rows[number as usize] = row;
        number
    } else {
        rows.push(row);
        u32::try_from(rows.len() - 1)
            .ok()
            .filter(|&number| number < LEAF)
            .expect("fewer than 2^31 rows")
    }
}
