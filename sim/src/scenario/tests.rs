//! Good scenarios are read, bad ones say where and why.

use doorstep_dispatch_core::{AdvicePolicy, Policy, Span};

use super::{Scenario, ScenarioError};

const MINIMAL: &str = "name = \"x\"\nstart = \"18:30\"\nduration_min = 60\n";

fn refusal(more: &str) -> String {
    Scenario::parse("bad.toml", &format!("{MINIMAL}{more}"))
        .unwrap_err()
        .to_string()
}

#[test]
fn the_shipped_scenario_is_read_whole() {
    let scenario =
        Scenario::parse("evening.toml", include_str!("../../scenarios/evening.toml")).unwrap();
    assert_eq!(scenario.name, "evening");
    assert_eq!(scenario.demand.shape.len(), 8);
    assert_eq!(scenario.drivers.shifts.len(), 2);
}

#[test]
fn what_is_left_out_has_a_default() {
    let scenario = Scenario::parse("x.toml", MINIMAL).unwrap();
    assert_eq!(scenario.drivers, Scenario::evening().drivers);
    assert_eq!(scenario.start_ms(), (18 * 60 + 30) * 60_000);
}

#[test]
fn the_levels_of_a_search_say_only_what_they_change() {
    let text = "[dispatch]\ncandidates_max = 7\nno_driver_after_s = 600.0\n\
        search_levels = [{ after_s = 90.5, search_radius_m = 9000 }, { after_s = 200.0, offers_at_once = 3 }]\n";
    let policy = Scenario::parse("x.toml", &format!("{MINIMAL}{text}"))
        .unwrap()
        .policy();
    assert_eq!(policy.validate(), Ok(()));
    assert_eq!(policy.no_driver_after, Span::from_mins(10));
    let levels: Vec<_> = policy
        .search_levels
        .iter()
        .map(|level| (level.candidates_max, level.offers_at_once))
        .collect();
    assert_eq!(levels, [(7, 1), (7, 3)]);
    assert_eq!(policy.search_levels[0].after, Span::from_millis(90_500));
    assert_eq!(
        policy.search_levels[0].search_radius.as_millimetres(),
        9_000_000
    );
    assert_eq!(policy.search_levels[1].search_radius, policy.search_radius);
    let silent = Scenario::parse("x.toml", MINIMAL).unwrap().policy();
    assert_eq!(silent, Policy::default());
    assert_eq!(silent.advice, None, "nobody is advised unless asked for");
    let advised = format!("{MINIMAL}[dispatch.advice]\nrest_s = 60.0\n");
    let advice = Scenario::parse("x.toml", &advised).unwrap().policy().advice;
    let rest = Span::from_mins(1);
    assert_eq!(
        advice,
        Some(AdvicePolicy {
            rest,
            ..AdvicePolicy::default()
        })
    );
}

#[test]
fn an_unknown_key_is_refused_with_file_line_and_key() {
    let message = refusal("[drivers]\ncuont = 5\n");
    assert!(
        message.starts_with("bad.toml:5: drivers.cuont: unknown field `cuont`, expected one of"),
        "{message}"
    );
}

#[test]
fn a_wrong_type_is_refused_with_file_line_and_key() {
    let message = refusal("[drivers]\ncount = 5\naccept_probability = \"high\"\n");
    assert!(
        message
            .starts_with("bad.toml:6: drivers.accept_probability: invalid type: string \"high\""),
        "{message}"
    );
}

#[test]
fn a_value_out_of_range_is_refused_with_what_was_expected() {
    let cases = [
        (
            "[drivers]\naccept_probability = 1.5\n",
            "drivers.accept_probability: expected a share between 0 and 1, found 1.5",
        ),
        (
            "[drivers]\ncount = 0\n",
            "drivers.count: expected 1 to 1000000, found 0",
        ),
        (
            "[drivers]\nshifts = [{ share = 1.0, from_min = 9, to_min = 9 }]\n",
            "drivers.shifts.to_min: expected more than from_min, found 9",
        ),
        (
            "[demand]\nshape = []\n",
            "demand.shape: expected at least one factor, found an empty list",
        ),
        (
            "[demand]\norders_per_hour = nan\n",
            "demand.orders_per_hour: expected 0 to 1000000, found NaN",
        ),
        (
            "[restaurants]\npreparation = { mean_s = -1.0 }\n",
            "restaurants.preparation.mean_s: expected 0 to 86400 seconds, found -1",
        ),
        (
            "[dispatch]\nround_interval_s = 0.0\n",
            "dispatch.round_interval_s: expected 0.1 to 3600 seconds, found 0",
        ),
        (
            "[dispatch.advice]\nadvices_max = 0\n",
            "dispatch.advice.advices_max: expected 1 to 10000 drivers, found 0",
        ),
        (
            "[dispatch]\noffers_at_once = 6\n",
            "dispatch.offers_at_once: expected 1 to 5 drivers, found 6",
        ),
        (
            "[dispatch]\nsearch_levels = [{ after_s = 60.0, search_radius_m = 0 }]\n",
            "dispatch.search_levels.search_radius_m: expected 1 to 1000000 metres, found 0",
        ),
        (
            "[dispatch]\nsearch_levels = [{ after_s = 60.0 }, { after_s = 60.0 }]\n",
            "dispatch.search_levels.after_s: expected seconds above those of the level before, at most 86400, found 60",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(text), format!("bad.toml: {expected}"));
    }
}

#[test]
fn a_time_of_day_is_two_numbers() {
    for start in ["", "18", "18:60", "24:00", "6:00", "18:00:00", "ab:cd"] {
        let text = MINIMAL.replace("18:30", start);
        assert!(
            matches!(
                Scenario::parse("x.toml", &text),
                Err(ScenarioError::Value { .. })
            ),
            "{start}"
        );
    }
}

#[test]
fn text_that_is_no_toml_is_refused_with_its_line() {
    assert!(refusal("what?\n").starts_with("bad.toml:4: "));
    assert!(
        Scenario::parse("bad.toml", "")
            .unwrap_err()
            .to_string()
            .contains("missing field `name`")
    );
}
