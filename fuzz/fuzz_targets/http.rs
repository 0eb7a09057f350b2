//! The parsers of what comes over HTTP: any text gives a request or an error.
#![no_main]

use doorstep_route_server::polyline::{self, Precision};
use doorstep_route_server::url;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = url::decode(text);
    let _ = url::parse_coordinates(text);
    let Ok(request) = url::parse(text) else {
        return;
    };
    assert!(request.coordinates.len() <= url::COORDINATES_MAX);
    let written = polyline::encode(&request.coordinates, Precision::Six);
    let read = polyline::decode(&written, Precision::Six, url::COORDINATES_MAX);
    let read = read.expect("a line of our own making");
    assert_eq!(read.len(), request.coordinates.len(), "{written}");
});
