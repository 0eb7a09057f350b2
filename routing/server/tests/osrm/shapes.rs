//! Requests that were sent to osrm-routed 26.10 on a real map, with the fields and types of its answers (no values):
//! ours must have the same.
//!
//! `recorded.json` has for each request its status, its code and each path of the answer with its type; a `?` marks a
//! field that some objects lack. `{0}`, `{1}` and `{2}` stand for coordinates.

use std::collections::{BTreeMap, BTreeSet};

use doorstep_route_server::{ApiError, Limits, url};
use serde::Deserialize;
use serde_json::Value;

use crate::town::{at, atlas, written};

#[derive(Deserialize)]
struct Recorded {
    request: String,
    status: u16,
    code: String,
    shape: BTreeMap<String, String>,
}

/// Fields that OSRM writes only sometimes, which the recording happens to lack or to have everywhere.
const SOMETIMES: &[&str] = &[
    ".maneuver.exit",
    ".steps[].ref",
    ".steps[].destinations",
    ".steps[].exits",
    ".steps[].rotary_name",
    ".intersections[].lanes",
    ".intersections[].classes",
];

#[derive(Default)]
struct Shape {
    types: BTreeMap<String, BTreeSet<&'static str>>,
    /// How many objects there are at a path, and how many of them have each field.
    objects: BTreeMap<String, usize>,
    fields: BTreeMap<String, usize>,
}

impl Shape {
    fn walk(&mut self, value: &Value, path: &str) {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        self.types.entry(path.to_owned()).or_default().insert(kind);
        if let Value::Object(fields) = value {
            *self.objects.entry(path.to_owned()).or_default() += 1;
            for (key, value) in fields {
                let path = format!("{path}.{key}");
                *self.fields.entry(path.clone()).or_default() += 1;
                self.walk(value, &path);
            }
        }
        for value in value.as_array().into_iter().flatten() {
            self.walk(value, &format!("{path}[]"));
        }
    }
}

/// What differs from the recording, one line each.
fn differences(recorded: &BTreeMap<String, String>, ours: &Shape) -> Vec<String> {
    let is_rare = |path: &str| SOMETIMES.iter().any(|rare| path.contains(rare));
    let mut found = Vec::new();
    for (path, wanted) in recorded {
        let (path, is_optional) = match path.strip_suffix('?') {
            Some(path) => (path, true),
            None => (path.as_str(), false),
        };
        if let Some(types) = ours.types.get(path) {
            let wanted: BTreeSet<&str> = wanted.split('|').collect();
            if !types.iter().all(|found| wanted.contains(found)) {
                found.push(format!("{path}: {types:?} instead of {wanted:?}"));
            }
        }
        let (parent, _) = path.rsplit_once('.').unwrap();
        let (parents, have) = (ours.objects.get(parent), ours.fields.get(path));
        let is_field = !path.ends_with("[]");
        if is_field && !is_optional && !is_rare(path) && parents.is_some() && parents != have {
            found.push(format!(
                "{path} is missing in some of {parents:?}: {have:?}"
            ));
        }
    }
    for path in ours.fields.keys() {
        let optional = format!("{path}?");
        if !recorded.contains_key(path) && !recorded.contains_key(&optional) && !is_rare(path) {
            found.push(format!("{path} is not OSRM's"));
        }
    }
    found
}

#[test]
fn answers_have_the_fields_of_osrm() {
    let recorded: Vec<Recorded> = serde_json::from_str(include_str!("recorded.json")).unwrap();
    let atlas = atlas(Limits::default());
    // Beside the roads, not on them; the way from the first to the second goes through the roundabout.
    let coordinates = [at(2.01, 0.5), at(3.02, 4.5), at(0.5, 3.01)].map(written);
    let mut roundabouts = 0;
    for recorded in &recorded {
        let mut target = recorded.request.clone();
        for (index, coordinate) in coordinates.iter().enumerate() {
            target = target.replace(&format!("{{{index}}}"), coordinate);
        }
        let answer = url::decode(&target)
            .and_then(|target| url::parse(&target).and_then(|request| atlas.answer(&request)));
        let (status, bytes) = match &answer {
            Ok(bytes) => (200, bytes.clone()),
            Err(error) => (400, serde_json::to_vec(error).unwrap()),
        };
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["code"], recorded.code.as_str(), "{target}: {value}");
        assert_eq!(status, recorded.status, "{target}");
        let mut shape = Shape::default();
        shape.walk(&value, "");
        let found = differences(&recorded.shape, &shape);
        assert!(found.is_empty(), "{target}\n{found:#?}\n{value}");
        roundabouts += value.to_string().matches("\"type\":\"roundabout\"").count();
    }
    assert!(
        roundabouts > 0,
        "the way does not go through the roundabout"
    );
}

#[test]
fn a_missing_field_is_found() {
    let recorded = BTreeMap::from([(".a".to_owned(), "number".to_owned())]);
    let ours = |text: &str| {
        let mut shape = Shape::default();
        shape.walk(&serde_json::from_str(text).unwrap(), "");
        differences(&recorded, &shape).len()
    };
    assert_eq!(ours(r#"{"a":1}"#), 0);
    assert_eq!(ours(r#"{"a":"1"}"#), 1);
    assert_eq!(ours(r#"{"b":1}"#), 2);
}

#[test]
fn an_error_is_a_code_and_a_message() {
    let error = url::parse("/nope").unwrap_err();
    let text = serde_json::to_string::<ApiError>(&error).unwrap();
    assert!(
        text.starts_with(r#"{"code":"InvalidUrl","message":""#),
        "{text}"
    );
}
