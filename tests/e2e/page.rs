//! The city view of a running demo in a real browser: it lives, it is clean, it can be used, it says when it is cut off.

pub(crate) mod browser;
pub(crate) mod demo;

use browser::{Browser, Page};
use demo::Demo;
use std::io::Write as _;

const SIZES: [(u32, u32); 2] = [(1440, 900), (390, 844)];

/// Phones, upright and on their side.
const PHONES: [(u32, u32); 3] = [(320, 640), (390, 844), (844, 390)];

/// How many different colours a canvas shows.
const COLOURS: &str = "((id) => { const canvas = document.getElementById(id); \
    const bytes = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data; \
    return new Set(new Uint32Array(bytes.buffer)).size; })";

fn check(page: &mut Page<'_>, what: &str) {
    page.wait_until("document.documentElement.dataset.link === 'live'");
    page.wait_until("Number(document.getElementById('open').textContent) > 0");
    page.wait_until("document.getElementById('on-duty').textContent === '60'");
    page.wait_until("document.querySelectorAll('#orders .order').length > 0");
    page.wait_until(&format!("{COLOURS}('streets') > 3"));
    page.wait_until(&format!("{COLOURS}('movers') > 3"));
    let clock = page.eval("document.getElementById('clock').textContent");
    assert!(
        clock
            .as_str()
            .is_some_and(|text| text.len() == 5 && text.contains(':')),
        "{what}: clock {clock}"
    );
    page.wait_until("document.getElementById('attribution').textContent.length > 3");
    let overflow = page.eval("document.documentElement.scrollWidth - window.innerWidth");
    assert!(
        overflow.as_i64().is_some_and(|pixels| pixels <= 0),
        "{what}: {overflow} px too wide"
    );
    let unnamed = page.eval(
        "[...document.querySelectorAll('button, input')].filter((control) => \
         !(control.textContent.trim() || control.ariaLabel || control.labels?.length)).length",
    );
    assert_eq!(unnamed, 0, "{what}: controls without a name");
    select_and_close(page);
    let complaints = page.complaints();
    assert!(complaints.is_empty(), "{what}: {complaints:#?}");
}

/// By keyboard: the first order opens its card, Escape closes it.
fn select_and_close(page: &mut Page<'_>) {
    page.eval("document.querySelector('#orders .order').focus()");
    page.eval("document.activeElement.click()");
    page.wait_until("!document.getElementById('detail').hidden");
    page.wait_until("document.querySelectorAll('#detail-body dt').length >= 5");
    // What the stream does not carry: who ordered what, and the way on the roads.
    page.wait_until(
        "['customer', 'items', 'total'].every((label) => \
         [...document.querySelectorAll('#detail-body dt')].some((dt) => dt.textContent === label))",
    );
    see_reasons(page);
    page.eval("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))");
    page.wait_until("document.getElementById('detail').hidden");
}

/// What overlaps on a phone while a card is open and scrolled to its end, and what of the card is out of sight.
const CROWDED: &str = "(() => { \
    const card = document.getElementById('detail'); \
    card.scrollTop = card.scrollHeight; \
    const box = (what) => document.querySelector(what).getBoundingClientRect(); \
    const meets = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1; \
    const free = ['#map', '#zoom', '#credit', '#legend'].filter((what) => meets(box('#detail'), box(what))); \
    const apart = [['#zoom', '#credit'], ['#zoom', '#legend'], ['#legend', '#credit']]; \
    const crowded = apart.filter(([a, b]) => meets(box(a), box(b))).map(String); \
    const onTop = (what) => { const { left, top, width, height } = box(what); \
        return document.querySelector(what).contains(document.elementFromPoint(left + width / 2, top + height / 2)); }; \
    const hidden = ['#detail-title', '#detail-close'].filter((what) => !onTop(what)); \
    const steps = document.querySelectorAll('#detail .step'); \
    const untimed = steps.length && [...steps].every((step) => step.offsetHeight > 0) ? [] : ['timeline']; \
    return [...free, ...crowded, ...hidden, ...untimed].join(' '); })()";

/// With a card open nothing covers anything else, and its title and close button stay in sight.
fn check_phone(page: &mut Page<'_>, what: &str) {
    page.wait_until("document.documentElement.dataset.link === 'live'");
    page.wait_until("document.getElementById('attribution').textContent.length > 3");
    page.wait_until(
        "document.querySelectorAll('#detail .step').length > 0 || \
         void document.querySelector('#orders .order')?.click()",
    );
    let crowded = page.eval(CROWDED);
    assert_eq!(crowded.as_str(), Some(""), "{what}");
}

/// The first order in the list that a driver is on the way to fetch.
const ASSIGNED: &str = "[...document.querySelectorAll('#orders .order')].find((row) => \
    row.textContent.includes('driver to restaurant'))";

/// An order with a driver tells why it was this one; from there its driver shows all stops, and they lead back. The
/// city is fast: what ends meanwhile is chosen anew.
fn see_reasons(page: &mut Page<'_>) {
    page.wait_until(&format!(
        "document.querySelectorAll('#why tbody tr').length > 0 || void {ASSIGNED}?.click()"
    ));
    page.wait_until("document.querySelector('#why .why-rule').textContent.endsWith('.')");
    page.wait_until("document.querySelector('#why .why-sum dd').textContent.includes('.')");
    let wide = page.eval(
        "(() => { const card = document.getElementById('detail'); card.focus(); \
         return document.activeElement === card ? card.scrollWidth - card.clientWidth : 999; })()",
    );
    assert_eq!(
        wide, 0,
        "the card takes the focus and does not scroll sideways"
    );
    page.wait_until(&format!(
        "document.querySelector('#detail-body .stop .stop-time') || \
         void (document.querySelector('#detail-body .link') ?? {ASSIGNED})?.click()"
    ));
    page.wait_until(
        "!document.getElementById('why').hidden || \
         document.querySelector('#detail-body .stop .link')?.click()",
    );
}

/// One step on the way from an order in the list to another driver who has it; true at the end. Orders that are picked up
/// meanwhile and drivers who cannot take any are left for others, since the city is fast.
const GIVE_AWAY: &str = "(() => { \
    const all = (what) => [...document.querySelectorAll(`#assign ${what}`)]; \
    if (all('.assign-done').length) return true; \
    const [confirm] = all('.assign-confirm'); \
    const [opener] = all('.assign-open'); \
    const [other] = all('.assign-other'); \
    const [first] = all('.assign-driver'); \
    const failed = all('.assign-failed').length > 0; \
    if (document.getElementById('assign').hidden) ORDER?.click(); \
    else if (confirm) { \
        window.shown = all('.assign-rows').map((rows) => rows.textContent).join(); \
        window.chosen = confirm.textContent.match(/driver ([0-9]+)/)[1]; \
        confirm.querySelector('input').value = 'the test wants it'; \
        confirm.requestSubmit(); \
    } else if (opener) opener.click(); \
    else if (first && !failed) first.click(); \
    else if (other) { \
        window.tried = (window.tried ?? 0) + 1; \
        other.querySelector('input').value = String(window.tried % 60 + 1); \
        other.requestSubmit(); \
    } \
    return false; })()";

/// An order is given to another driver: its effect is shown first, and the card shows the new driver and who decided.
fn give_away(page: &mut Page<'_>) {
    page.wait_until("document.documentElement.dataset.link === 'live'");
    // The list shows the first of many orders.
    page.eval(
        "const filter = document.getElementById('filter'); filter.value = 'driver to restaurant'; \
         filter.dispatchEvent(new Event('input'));",
    );
    page.wait_until(&GIVE_AWAY.replace("ORDER", ASSIGNED));
    let shown = page.eval("window.shown");
    let shown = shown.as_str().unwrap();
    assert!(
        shown.contains("food picked up") && shown.contains("at the door"),
        "{shown}"
    );
    page.wait_until(
        "[...document.querySelectorAll('#detail-body .detail-row')].some((row) => \
         row.firstChild.textContent === 'driver' && row.lastChild.textContent === window.chosen)",
    );
    page.wait_until("document.getElementById('why').textContent.includes('was given it')");
    let why = page.eval("document.getElementById('why').textContent");
    let why = why.as_str().unwrap();
    assert!(why.contains("the test wants it"), "{why}");
}

#[test]
fn the_city_view_lives_in_a_browser() {
    let Some(mut browser) = Browser::start() else {
        let required = std::env::var("DOORSTEP_REQUIRE_ALL").is_ok_and(|value| value == "1");
        assert!(!required, "no Chromium; apt-get install chromium");
        // Past the capture of the test runner, so that a person sees it.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: no Chromium; apt-get install chromium"
        );
        return;
    };
    let mut demo = Demo::start();
    for (width, height) in SIZES {
        for scheme in ["light", "dark"] {
            let mut page = browser.open(&demo.url, width, height, scheme);
            check(&mut page, &format!("{width}×{height} {scheme}"));
        }
    }
    for (width, height) in PHONES {
        let mut page = browser.open(&demo.url, width, height, "light");
        check_phone(&mut page, &format!("{width}×{height}"));
    }
    for (width, height) in SIZES {
        // Drivers who cannot take an order are refused, which the console tells as well.
        let mut page = browser.open(&demo.url, width, height, "light");
        give_away(&mut page);
    }
    let mut page = browser.open(&demo.url, 1440, 900, "light");
    page.wait_until("document.documentElement.dataset.link === 'live'");
    demo.kill();
    page.wait_until("document.documentElement.dataset.link === 'lost' && !document.getElementById('lost').hidden");
    page.wait_until("document.querySelectorAll('#orders .order').length > 0");
}
