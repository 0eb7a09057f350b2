//! Every field of dispatch's policy stands in the documentation and in the example file.

use crate::root;

/// Names of the rows of a `policy_fields!` declaration: `name: Type = default`.
fn rows(source: &str, declaration: &str) -> Vec<String> {
    let from = source
        .find(declaration)
        .unwrap_or_else(|| panic!("no {declaration}"));
    source[from..]
        .lines()
        .skip(1)
        .take_while(|line| *line != "    }")
        .filter_map(|line| line.strip_prefix("        "))
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(": "))
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[test]
fn every_field_of_the_policy_is_documented_and_in_the_example() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let policy = read("dispatch/core/src/policy.rs");
    let advice = read("dispatch/core/src/reposition.rs");
    let mut fields = rows(&policy, "pub struct Policy in");
    assert!(
        fields.len() > 50,
        "{} fields are read from the source",
        fields.len()
    );
    fields.extend(rows(&policy, "pub struct Dwells in"));
    fields.extend(rows(&advice, "pub struct AdvicePolicy in"));
    // Structs of their own, whose fields are the sections below.
    fields.retain(|name| name != "dwells" && name != "advice");
    let (page, file) = (read("docs/configuration.md"), read("docs/doorstep.toml"));
    let missing: Vec<&String> = fields
        .iter()
        .filter(|name| {
            let in_file = file.lines().any(|line| {
                line.starts_with(&format!("# {name} = ")) || line.ends_with(&format!(".{name}]]"))
            });
            !in_file || !page.contains(&format!("| `{name}` |"))
        })
        .collect();
    assert!(missing.is_empty(), "not documented: {missing:?}");
}
