//! Made-up names of restaurants.

use crate::rng::Draw;

const FIRST: [&str; 20] = [
    "Amber", "Blue", "Copper", "Corner", "Garden", "Golden", "Green", "Harbour", "Hidden",
    "Lantern", "Little", "Market", "Mill", "Olive", "Orchard", "Paper", "Quiet", "River", "Silver",
    "Sunday",
];
const SECOND: [&str; 20] = [
    "Bakery",
    "Bistro",
    "Bowl",
    "Canteen",
    "Cellar",
    "Diner",
    "Eatery",
    "Fork",
    "Griddle",
    "House",
    "Kitchen",
    "Ladle",
    "Noodle Bar",
    "Oven",
    "Pantry",
    "Plate",
    "Skillet",
    "Spoon",
    "Table",
    "Wok",
];

/// A name of two words.
pub(super) fn restaurant(draw: Draw) -> String {
    let first = FIRST[draw.part(1).index(FIRST.len())];
    let second = SECOND[draw.part(2).index(SECOND.len())];
    format!("{first} {second}")
}
