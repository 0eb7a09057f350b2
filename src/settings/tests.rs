//! Merging, messages, and the pages made from the list.

use std::path::Path;

use doorstep_web::limits::RateLimits;

use super::{Overrides, Settings, Source, document, keys};

fn merge(text: &str) -> anyhow::Result<Settings> {
    Settings::merge(
        Some((Path::new("doorstep.toml"), text)),
        &[],
        &Overrides::default(),
    )
}

fn problems(text: &str) -> String {
    merge(text).unwrap_err().to_string()
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let text = "[fees]\nbase_fee_minor = 1\nper_km_minor = 2\nincluded_m = 3\n";
    let variables = [
        ("DOORSTEP_FEES_PER_KM_MINOR".to_owned(), "20".to_owned()),
        ("DOORSTEP_FEES_INCLUDED_M".to_owned(), "30".to_owned()),
        ("DOORSTEP_REQUIRE_ALL".to_owned(), "1".to_owned()),
        ("PATH".to_owned(), "/bin".to_owned()),
    ];
    let flags = Overrides::default().add("fees.included_m", "--included-m", Some(300));
    let path = Path::new("doorstep.toml");
    let settings = Settings::merge(Some((path, text)), &variables, &flags).unwrap();
    let policy = settings.control_policy().unwrap();
    assert_eq!(policy.base_fee_minor, 1);
    assert_eq!(policy.per_km_minor, 20);
    assert_eq!(policy.included_m, 300);
    assert_eq!(policy.preparation.as_secs(), 720, "nobody set it");
    let source = |name| settings.source(name).to_string();
    assert_eq!(source("fees.base_fee_minor"), "doorstep.toml:2");
    assert_eq!(
        source("fees.per_km_minor"),
        "environment DOORSTEP_FEES_PER_KM_MINOR"
    );
    assert_eq!(source("fees.included_m"), "flag --included-m");
    assert_eq!(settings.source("timeouts.quote"), Source::Default);
}

#[test]
fn every_mistake_is_named_with_its_line() {
    let said = problems(
        "zone = \"Europe/Atlantis\"\n[dispatch.policy]\noffer_windwo = \"30s\"\nbundle_max = 100\n[dispach]\nopen_grpc = true\n\
         [control_plane]\nlisten = \"8080\"\nbase_fee_minor = 5\n[timeouts]\nquote = 15\n",
    );
    let lines: Vec<&str> = said.lines().collect();
    for expected in [
        "doorstep.toml:1: zone is \"Europe/Atlantis\", expected a time zone",
        "doorstep.toml:3: unknown key dispatch.policy.offer_windwo: did you mean dispatch.policy.offer_window?",
        "doorstep.toml:4: dispatch.policy.bundle_max is 100, expected a number from 1 to 20",
        "doorstep.toml:5: unknown key dispach: did you mean dispatch?",
        "doorstep.toml:8: control_plane.listen is \"8080\", expected an IP address and a port",
        "doorstep.toml:9: unknown key control_plane.base_fee_minor: did you mean fees.base_fee_minor?",
        "doorstep.toml:11: timeouts.quote is 15, expected a duration from 1ms to 1d",
    ] {
        assert!(
            lines.iter().any(|line| line.starts_with(expected)),
            "{expected}\nin {said}"
        );
    }
    assert_eq!(lines.len(), 7, "{said}");
}

#[test]
fn text_that_is_no_toml_is_named_with_its_line() {
    let said = problems("zone = \"UTC\"\n[fees\n");
    assert!(said.starts_with("doorstep.toml:2: "), "{said}");
    assert!(problems("zone = \"UTC\"\nzone = \"UTC\"\n").starts_with("doorstep.toml:2: "));
}

#[test]
fn a_misspelt_variable_is_refused() {
    let variables = [("DOORSTEP_FEES_PER_KM_MINORS".to_owned(), "1".to_owned())];
    let said = Settings::merge(None, &variables, &Overrides::default())
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("did you mean DOORSTEP_FEES_PER_KM_MINOR?"),
        "{said}"
    );
}

#[test]
fn the_policy_of_dispatch_is_filled_whole() {
    let usual = merge("").unwrap().dispatch_policy();
    assert_eq!(usual, doorstep_dispatch_core::Policy::default());
    let settings = merge(
        "[dispatch.policy]\nmatching = \"nearest\"\nsearch_radius = \"3km\"\n[dispatch.policy.dwells]\npickup = \"90s\"\n\
         [dispatch.policy.advice]\nenabled = true\nrest = \"20m\"\n[[dispatch.policy.search_levels]]\nafter = \"5m\"\n\
         candidates_max = 9\nsearch_radius = \"7km\"\noffers_at_once = 2\n",
    );
    let policy = settings.unwrap().dispatch_policy();
    assert_eq!(policy.matching.name(), "nearest");
    assert_eq!(policy.search_radius.as_millimetres(), 3_000_000);
    assert_eq!(policy.dwells.pickup.as_millis(), 90_000);
    assert_eq!(policy.advice.unwrap().rest.as_millis(), 1_200_000);
    assert_eq!(policy.search_levels.len(), 1);
    assert_eq!(policy.search_levels[0].offers_at_once, 2);
}

#[test]
fn what_holds_between_fields_is_checked_too() {
    let level = "[[dispatch.policy.search_levels]]\nafter = \"5m\"\ncandidates_max = 9\nsearch_radius = \"7km\"\noffers_at_once = 1\n";
    let said = problems(&format!("{level}{level}"));
    assert!(
        said.contains("doorstep.toml:1: ") && said.contains("later"),
        "{said}"
    );
}

#[test]
fn only_a_currency_of_the_list_is_one() {
    for good in ["EUR", "JPY", "KWD"] {
        let settings = merge(&format!("currency = \"{good}\"\n")).unwrap();
        let policy = settings.control_policy().unwrap();
        assert_eq!(policy.currency.to_string(), good);
    }
    assert!(problems("currency = \"EURO\"\n").contains("ISO 4217"));
    assert!(problems("currency = \"ZZZ\"\n").contains("ISO 4217"));
}

#[test]
fn a_reload_tells_what_it_cannot_change() {
    let before = merge("").unwrap();
    let after = merge(
        "log = \"debug\"\n[fees]\nbase_fee_minor = 5\n[control_plane]\nlisten = \"127.0.0.1:1\"\n",
    );
    assert_eq!(
        before.fixed_changes(&after.unwrap()),
        vec!["control_plane.listen".to_owned()]
    );
}

/// What the servers do when nobody sets anything is written down once in the list and once in their libraries.
#[test]
fn defaults_of_the_list_are_those_of_the_libraries() {
    let usual = merge("").unwrap();
    let serve = usual.serve_config().unwrap();
    let limits = doorstep_web::serve::Limits::default();
    assert_eq!(format!("{:?}", serve.limits), format!("{limits:?}"));
    assert!(serve.trusted_proxies.is_empty() && serve.tls.is_none());
    assert_eq!(usual.rate_limits(), RateLimits::default());
    let leases = doorstep_control_plane::config::Leases::default();
    assert_eq!(format!("{:?}", usual.leases()), format!("{leases:?}"));
    let retention = doorstep_control_plane::config::Retention::default();
    assert_eq!(format!("{:?}", usual.retention()), format!("{retention:?}"));
}

#[test]
fn http_limits_come_from_the_file() {
    let text = "[control_plane.http]\nbody_timeout = \"1s\"\nshutdown_grace = \"0s\"\ntrusted_proxies = \"10.0.0.0/8, 192.168.0.1\"\n\
         [control_plane.rate_limits]\nanonymous_burst = 0\nprincipal_every = \"1s\"\n[control_plane.leases]\ndead_after = \"20s\"\n";
    let settings = merge(text).unwrap();
    let serve = settings.serve_config().unwrap();
    assert_eq!(serve.limits.body_timeout.as_secs(), 1);
    assert!(serve.limits.shutdown_grace.is_zero());
    let proxies: Vec<String> = serve
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(proxies, ["10.0.0.0/8", "192.168.0.1/32"]);
    assert_eq!(settings.rate_limits().anonymous, None);
    assert_eq!(settings.rate_limits().principal.unwrap().every.as_secs(), 1);
    assert_eq!(settings.leases().dead_after.as_secs(), 20);
    let said = problems("[control_plane.http]\ntrusted_proxies = \"10.0.0.0/8,proxy\"\n");
    assert!(said.contains("parted by commas"), "{said}");
    let half = merge("[control_plane]\ntls_key = \"a.key\"\n")
        .unwrap()
        .serve_config();
    let said = half.err().unwrap().to_string();
    assert!(
        said.starts_with("control_plane.tls_key is set and control_plane.tls_certificate is not"),
        "{said}"
    );
}

/// With `DOORSTEP_WRITE_DOCS=1` the pages are written instead.
#[test]
fn the_example_file_and_the_page_are_those_of_the_list() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (page_path, file_path) = (
        root.join("docs/configuration.md"),
        root.join("docs/doorstep.toml"),
    );
    let page = std::fs::read_to_string(&page_path).unwrap();
    let (start, end) = ("<!-- settings -->\n", "<!-- end of settings -->");
    let from = page.find(start).unwrap() + start.len();
    let to = page.find(end).unwrap();
    if std::env::var_os("DOORSTEP_WRITE_DOCS").is_some() {
        let page = format!("{}{}{}", &page[..from], document::tables(), &page[to..]);
        std::fs::write(page_path, page).unwrap();
        std::fs::write(file_path, document::example_file()).unwrap();
        return;
    }
    let hint = "run the test with DOORSTEP_WRITE_DOCS=1 and look at the difference";
    assert!(
        page[from..to] == document::tables(),
        "docs/configuration.md: {hint}"
    );
    let file = std::fs::read_to_string(file_path).unwrap();
    assert!(
        file == document::example_file(),
        "docs/doorstep.toml: {hint}"
    );
}

/// The example, with every line that is a setting taken out of its comment, says the defaults.
#[test]
fn the_example_file_holds_every_key_with_its_default() {
    let text: String = document::example_file()
        .lines()
        .map(|line| {
            let setting = line.strip_prefix("# ").filter(|rest| {
                rest.starts_with("[[")
                    || rest
                        .split_once(" = ")
                        .is_some_and(|(name, value)| !name.contains(' ') && !value.starts_with('…'))
            });
            format!("{}\n", setting.unwrap_or(line))
        })
        .collect();
    let settings = merge(&text).unwrap();
    for key in keys::all().iter().filter(|key| key.default.is_some()) {
        assert_ne!(settings.source(&key.name), Source::Default, "{}", key.name);
        assert_eq!(
            settings.value(&key.name),
            key.default.as_ref(),
            "{}",
            key.name
        );
    }
}
