//! Made-up names of streets and restaurants.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

const STREET_FIRST: &[&str] = &[
    "Alder", "Amber", "Anchor", "Barley", "Beacon", "Birch", "Bramble", "Bridge", "Candle",
    "Cedar", "Chapel", "Cinder", "Clover", "Cobble", "Copper", "Coral", "Cypress", "Dapple",
    "Dove", "Elder", "Fennel", "Ferry", "Flint", "Foxglove", "Garnet", "Gorse", "Harbour", "Hazel",
    "Heron", "Holly", "Indigo", "Ivy", "Juniper", "Kestrel", "Lantern", "Larch", "Linden", "Lupin",
    "Maple", "Marble", "Meadow", "Mill", "Myrtle", "Nutmeg", "Oak", "Orchard", "Otter", "Pebble",
    "Pepper", "Quarry", "Quince", "Raven", "Reed", "Rowan", "Saffron", "Sorrel", "Thistle",
    "Tiller", "Umber", "Vine", "Walnut", "Willow", "Wren", "Yarrow",
];
const STREET_SIDE: &[&str] = &["Street", "Lane", "Road", "Row", "Way", "Walk"];
const STREET_MAIN: &[&str] = &["Avenue", "Boulevard", "Parade", "Drive"];

const FOOD_FIRST: &[&str] = &[
    "Blue",
    "Brass",
    "Bright",
    "Crooked",
    "Dancing",
    "Double",
    "Drowsy",
    "Early",
    "Fat",
    "Gilded",
    "Golden",
    "Green",
    "Happy",
    "Humble",
    "Hungry",
    "Jolly",
    "Little",
    "Lucky",
    "Midnight",
    "Noisy",
    "Old",
    "Patient",
    "Proud",
    "Quiet",
    "Red",
    "Rolling",
    "Salty",
    "Second",
    "Silver",
    "Sleepy",
    "Smoky",
    "Spicy",
    "Tall",
    "Third",
    "Velvet",
    "Wandering",
];
const FOOD_SECOND: &[&str] = &[
    "Anchovy",
    "Basil",
    "Cauldron",
    "Chilli",
    "Crab",
    "Dumpling",
    "Fig",
    "Fork",
    "Garlic",
    "Goose",
    "Griddle",
    "Hearth",
    "Kettle",
    "Ladle",
    "Lemon",
    "Lobster",
    "Mango",
    "Mortar",
    "Mushroom",
    "Noodle",
    "Olive",
    "Oven",
    "Pan",
    "Pepper",
    "Pickle",
    "Plate",
    "Pomegranate",
    "Radish",
    "Samovar",
    "Sesame",
    "Skillet",
    "Spoon",
    "Tamarind",
    "Tomato",
    "Truffle",
    "Wok",
];

fn pick(rng: &mut ChaCha8Rng, names: &[&'static str]) -> &'static str {
    names[rng.random_range(0..names.len())]
}

/// A street's name; arterials sound grander.
pub(super) fn street(rng: &mut ChaCha8Rng, is_arterial: bool) -> String {
    let (first, second) = (
        pick(rng, STREET_FIRST),
        if is_arterial {
            STREET_MAIN
        } else {
            STREET_SIDE
        },
    );
    format!("{first} {}", pick(rng, second))
}

/// A restaurant's name.
pub(super) fn restaurant(rng: &mut ChaCha8Rng) -> String {
    let (first, second) = (pick(rng, FOOD_FIRST), pick(rng, FOOD_SECOND));
    format!("The {first} {second}")
}
