//! Made-up menus: a cuisine and some of its dishes with prices.

use crate::rng::Draw;

/// One dish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuItem {
    /// What it is called.
    pub name: &'static str,
    /// Price in the minor unit (cents).
    pub price_minor: u64,
}

/// A kind of food.
pub(super) struct Cuisine {
    pub(super) name: &'static str,
    dishes: &'static [(&'static str, u64)],
}

const CUISINES: [Cuisine; 8] = [
    Cuisine {
        name: "pizza",
        dishes: &[
            ("Margherita", 890),
            ("Marinara", 790),
            ("Four cheeses", 1_150),
            ("Pepperoni", 1_090),
            ("Garlic bread", 420),
            ("Calzone", 1_190),
            ("Rocket salad", 640),
            ("Tiramisu", 520),
        ],
    },
    Cuisine {
        name: "burger",
        dishes: &[
            ("Cheeseburger", 990),
            ("Double burger", 1_290),
            ("Bean burger", 1_050),
            ("Chicken burger", 1_090),
            ("Fries", 390),
            ("Onion rings", 450),
            ("Milkshake", 490),
            ("Coleslaw", 320),
        ],
    },
    Cuisine {
        name: "sushi",
        dishes: &[
            ("Salmon nigiri", 690),
            ("Tuna maki", 620),
            ("Avocado maki", 490),
            ("Rainbow roll", 1_290),
            ("Edamame", 450),
            ("Miso soup", 350),
            ("Sashimi plate", 1_690),
            ("Mochi", 420),
        ],
    },
    Cuisine {
        name: "indian",
        dishes: &[
            ("Butter chicken", 1_290),
            ("Palak paneer", 1_090),
            ("Dal tadka", 890),
            ("Lamb vindaloo", 1_390),
            ("Naan", 290),
            ("Samosas", 520),
            ("Mango lassi", 390),
            ("Basmati rice", 320),
        ],
    },
    Cuisine {
        name: "thai",
        dishes: &[
            ("Pad thai", 1_090),
            ("Green curry", 1_190),
            ("Red curry", 1_190),
            ("Tom yum", 690),
            ("Spring rolls", 520),
            ("Papaya salad", 790),
            ("Jasmine rice", 290),
            ("Coconut ice cream", 450),
        ],
    },
    Cuisine {
        name: "grill",
        dishes: &[
            ("Grilled chicken", 1_150),
            ("Pork skewers", 1_250),
            ("Sardines", 1_090),
            ("Grilled vegetables", 850),
            ("Potatoes", 390),
            ("Tomato salad", 450),
            ("Bread and olives", 350),
            ("Custard tart", 190),
        ],
    },
    Cuisine {
        name: "kebab",
        dishes: &[
            ("Doner in bread", 690),
            ("Doner plate", 1_090),
            ("Falafel wrap", 650),
            ("Lahmacun", 590),
            ("Hummus", 450),
            ("Lentil soup", 480),
            ("Ayran", 220),
            ("Baklava", 390),
        ],
    },
    Cuisine {
        name: "bakery",
        dishes: &[
            ("Cheese toast", 490),
            ("Quiche", 650),
            ("Soup of the day", 590),
            ("Chicken pie", 720),
            ("Croissant", 240),
            ("Apple cake", 390),
            ("Coffee", 250),
            ("Orange juice", 350),
        ],
    },
];

/// One of the cuisines.
pub(super) fn cuisine(draw: Draw) -> &'static Cuisine {
    &CUISINES[draw.index(CUISINES.len())]
}

impl Cuisine {
    /// Five to eight of its dishes, dearer or cheaper by up to a fifth.
    pub(super) fn menu(&self, draw: Draw) -> Vec<MenuItem> {
        let dropped = draw.part(1).index(4);
        let per_cent = 80 + draw.part(2).below(41);
        let kept = self.dishes.len() - dropped;
        let price = |minor: u64| (minor * per_cent / 100).div_ceil(10) * 10;
        self.dishes[..kept]
            .iter()
            .map(|&(name, minor)| MenuItem {
                name,
                price_minor: price(minor),
            })
            .collect()
    }
}
