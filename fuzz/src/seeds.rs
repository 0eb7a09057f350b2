//! Writes the inputs that the fuzzer starts from: small made-up maps, their blocks, their archives, and requests, frames and states of dispatch.

use std::error::Error;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use doorstep_dispatch_core::{
    CrowFlyTravelTimes, DeliveryId, DeliveryRequest, Dispatcher, DriverId, Input, Policy, Time,
};
use doorstep_dispatch_wire::codec::encode_frame;
use doorstep_dispatch_wire::driver::client_frame::Body;
use doorstep_dispatch_wire::driver::{ClientFrame, Hello};
use doorstep_dispatch_wire::ping::{Motion, PingFix, encode_fixes};
use doorstep_maps::{generate, read, unwatched};
use doorstep_routing::LatLng;
use flate2::read::ZlibDecoder;
use prost::Message as _;

const REQUESTS: &[&str] = &[
    "/route/v1/driving/-8.61,41.15;-8.60,41.16?overview=full&geometries=geojson&steps=true&annotations=true",
    "/route/v1/car/polyline(_p~iF~ps|U_ulLnnqC_mqNvxq`@)?overview=false&alternatives=3&continue_straight=false",
    "/route/v1/driving/polyline6(_izlhA~rlgdF_%7Bl%7CdF).json?annotations=duration,distance,speed,nodes",
    "/table/v1/driving/-8.61,41.15;-8.60,41.16;-8.59,41.17?sources=0;1&destinations=all&annotations=duration,distance",
    "/table/v1/scooter/1,2;3,4?fallback_speed=10&fallback_coordinate=snapped&scale_factor=2.5&skip_waypoints=true",
    "/nearest/v1/foot/-8.61,41.15?number=3&bearings=0,20&radiuses=100&hints=abc&approaches=curb",
    "/trip/v1/bicycle/-8.61,41.15;-8.60,41.16;-8.59,41.17?roundtrip=false&source=first&destination=last",
    "/match/v1/driving/1,2;3,4?timestamps=1;2&gaps=split&tidy=true",
    "/isochrone?json={\"locations\":[{\"lat\":41.15,\"lon\":-8.61}],\"costing\":\"auto\",\"contours\":[{\"time\":10}],\"polygons\":true}",
    "/route/v1/driving/1e400,nan;-0.0,+91.0;181,0",
];

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let [extracts, archives, requests, frames, states] =
        ["extract", "archive", "http", "driver", "state"].map(|name| corpus.join(name));
    for folder in [&extracts, &archives, &requests, &frames, &states] {
        fs::create_dir_all(folder)?;
    }
    for (number, request) in REQUESTS.iter().enumerate() {
        fs::write(requests.join(format!("seed-{number}")), request)?;
    }
    write_dispatch(&frames, &states)?;
    for seed in 0..4 {
        let map = corpus.join("map.osm.pbf");
        generate(seed, 100, &map)?;
        let bytes = fs::read(&map)?;
        write(&extracts.join(format!("seed-{seed}-whole")), 0, &bytes)?;
        for (number, block) in blocks(&bytes)?.into_iter().enumerate() {
            write(&extracts.join(format!("seed-{seed}-{number}")), 1, &block)?;
        }
        let (archive, _) = read(&map, &unwatched)?;
        write(
            &archives.join(format!("seed-{seed}")),
            1 + 8 * seed.to_le_bytes()[0],
            &archive.to_bytes(),
        )?;
        fs::remove_file(&map)?;
    }
    Ok(())
}

fn write(path: &Path, first: u8, rest: &[u8]) -> std::io::Result<()> {
    fs::write(path, [&[first], rest].concat())
}

/// The blocks of objects of an extract of our own, not compressed.
fn blocks(file: &[u8]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut found = Vec::new();
    let mut rest = file;
    while let Some((length, after)) = rest.split_first_chunk() {
        let (header, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        let size = varint_field(header, 3).ok_or("a blob header without a size")?;
        let (blob, after) = after.split_at(size);
        if header.windows(7).any(|window| window == b"OSMData") {
            let mut plain = Vec::new();
            let start = blob.windows(2).position(|pair| pair == [0x78, 0x9c]);
            ZlibDecoder::new(&blob[start.ok_or("a blob that is not compressed")?..])
                .read_to_end(&mut plain)?;
            found.push(plain);
        }
        rest = after;
    }
    Ok(found)
}

/// A number of a message whose other fields are short strings and numbers.
fn varint_field(message: &[u8], wanted: u8) -> Option<usize> {
    let mut rest = message;
    while let Some((&key, after)) = rest.split_first() {
        let digits = after.iter().position(|byte| byte & 0x80 == 0)? + 1;
        let value = after[..digits]
            .iter()
            .rev()
            .fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f));
        if key == wanted << 3 {
            return Some(value);
        }
        let skipped = if key & 7 == 2 { value } else { 0 };
        rest = after.get(digits + skipped..)?;
    }
    None
}

/// One frame, one ping, and the state of a dispatcher with a driver and an order.
fn write_dispatch(frames: &Path, states: &Path) -> Result<(), Box<dyn Error>> {
    let hello = ClientFrame {
        number: 1,
        body: Some(Body::Hello(Hello {
            protocol: 2,
            token: "ds1.x.y".to_owned(),
            device: "seed".to_owned(),
        })),
    };
    let mut bytes = Vec::new();
    encode_frame(&hello, &mut bytes)?;
    fs::write(frames.join("hello"), bytes)?;
    let fix = |time_ms| PingFix {
        time_ms,
        lat_e7: 411_500_000,
        lng_e7: -86_100_000,
    };
    let motion = Motion {
        speed_mm_s: 7_000,
        heading_cdeg: 9_000,
    };
    let ping = encode_fixes(1, &[fix(1_000), fix(5_000)], motion)?;
    fs::write(frames.join("ping"), ping.encode_to_vec())?;

    let mut dispatcher = Dispatcher::new(Policy::default())?;
    let mut travel = CrowFlyTravelTimes::new(8_000);
    let at = LatLng::from_e7(411_500_000, -86_100_000);
    let now = Time::from_millis(1_000_000);
    let on = Input::DriverOnDuty {
        driver: DriverId(1),
        at,
        until: None,
    };
    let order = Input::RequestDelivery(DeliveryRequest {
        delivery: DeliveryId(1),
        pickup: at,
        dropoff: at,
        placed_at: now,
        ready_at: now,
    });
    for input in [on, order, Input::DeadlineBeside] {
        dispatcher.handle(Time::from_millis(1_020_000), input, &mut travel)?;
        while dispatcher.poll_output().is_some() {}
    }
    fs::write(states.join("snapshot"), dispatcher.snapshot())?;
    let work = dispatcher.round_work().ok_or("no round has begun")?;
    fs::write(states.join("round"), work.solve(&mut travel).to_bytes())?;
    Ok(())
}
