//! The page as plain HTML: figures and orders are filled in, so that it can be read without scripts.

use std::borrow::Cow;

use doorstep_web::content::{escape, fill};
use doorstep_web::pages;
use jiff::Timestamp;

use super::live::Live;
use super::message::{OrderRow, Shown};

/// Orders in the plain list; the scripts show all.
const ROWS_MAX: usize = 60;

/// The page with everything filled in.
pub(crate) fn render(live: &Live) -> String {
    let config = live.config();
    let now_ms = config.clock.now_ms();
    let offset_s = live.offset_s();
    let picture = live.picture();
    let figures = picture.figures();
    let rows = picture.newest_orders(ROWS_MAX);
    let orders: String = rows
        .iter()
        .map(|row| order_item(row, now_ms, offset_s))
        .collect();
    let note = match (rows.len(), figures.open) {
        (0, _) => "No orders yet.".to_owned(),
        (ROWS_MAX, open) => format!("The first {ROWS_MAX} of {open} open orders."),
        _ => String::new(),
    };
    let value = |name: &str| -> Option<Cow<'static, str>> {
        Some(match name {
            "clock" => clock(now_ms, offset_s).into(),
            "speedup" => config.clock.speedup().to_string().into(),
            "open" => figures.open.to_string().into(),
            "late" => figures.late.to_string().into(),
            "late_class" => if figures.late > 0 { "alarm" } else { "" }.into(),
            "door" => figure(figures.click_to_door_min).into(),
            "busy" => (figures.drivers_on_duty - figures.drivers_idle)
                .to_string()
                .into(),
            "on_duty" => figures.drivers_on_duty.to_string().into(),
            "rate" => figures
                .orders_per_hour
                .map_or_else(|| "–".to_owned(), |rate| rate.to_string())
                .into(),
            "round" => figure(figures.round_ms).into(),
            "dispatch_away" => if figures.dispatch { "hidden" } else { "" }.into(),
            "note" => note.clone().into(),
            "orders" => orders.clone().into(),
            "attribution" => config
                .map
                .as_ref()
                .map_or_else(String::new, |map| escape(&map.attribution))
                .into(),
            _ => return None,
        })
    };
    fill(pages::CITY, value)
}

fn order_item(row: &OrderRow, now_ms: i64, offset_s: i32) -> String {
    let (glyph, colour) = mark(row);
    let classes = match (row.late, row.over) {
        (true, _) => "order late",
        (false, Some(_)) => "order over",
        (false, None) => "order",
    };
    let time = row.over.or(row.eta).map_or_else(
        || "–".to_owned(),
        |at| clock(at.max(row.over.unwrap_or(now_ms)), offset_s),
    );
    let note = if row.late {
        "! late".to_owned()
    } else {
        format!("due {}", clock(row.due, offset_s))
    };
    format!(
        "<li><div class=\"{classes}\"><svg class=\"glyph {colour}\" aria-hidden=\"true\"><use href=\"#glyph-{glyph}\"/></svg>\
         <span class=\"order-name\">{}</span><span class=\"order-code\">{}</span><span class=\"order-state\">{}</span>\
         <span class=\"order-time\">{time}</span><span class=\"order-note\">{note}</span></div></li>\n",
        escape(&row.restaurant),
        escape(&row.code),
        words(row.state),
    )
}

/// Glyph and colour of a row, as `orders.js` and `palette.js` choose them.
fn mark(row: &OrderRow) -> (&'static str, &'static str) {
    let (glyph, colour) = match row.state {
        Shown::Placed | Shown::Searching => ("searching", "searching"),
        Shown::ToRestaurant => ("to-restaurant", "to-restaurant"),
        Shown::Waiting => ("waiting", "waiting"),
        Shown::ToCustomer | Shown::AtDoor => ("to-customer", "to-customer"),
        Shown::Delivered => ("done", "idle"),
        Shown::Cancelled => ("cancelled", "idle"),
    };
    (glyph, if row.late { "late" } else { colour })
}

/// The reader's words for a state, the same as in `format.js`.
fn words(state: Shown) -> &'static str {
    match state {
        Shown::Placed => "new",
        Shown::Searching => "no driver yet",
        Shown::ToRestaurant => "driver to restaurant",
        Shown::Waiting => "driver waits for food",
        Shown::ToCustomer => "to the customer",
        Shown::AtDoor => "at the door",
        Shown::Delivered => "delivered",
        Shown::Cancelled => "cancelled",
    }
}

fn clock(unix_ms: i64, offset_s: i32) -> String {
    let shifted = unix_ms.saturating_add(i64::from(offset_s) * 1_000);
    Timestamp::from_millisecond(shifted)
        .map_or_else(|_| "–".to_owned(), |at| at.strftime("%H:%M").to_string())
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1}"))
}

#[cfg(test)]
mod tests {
    use doorstep_web::pages::FORMAT_JS;

    use super::{Shown, words};

    #[test]
    fn scripts_and_server_use_the_same_words() {
        for state in [
            Shown::Placed,
            Shown::Searching,
            Shown::ToRestaurant,
            Shown::Waiting,
            Shown::ToCustomer,
            Shown::AtDoor,
            Shown::Delivered,
            Shown::Cancelled,
        ] {
            let key = serde_json::to_value(state).unwrap();
            let line = format!("{}: \"{}\",", key.as_str().unwrap(), words(state));
            assert!(FORMAT_JS.contains(&line), "format.js has no `{line}`");
        }
    }
}
