//! Who is near, asked over the network while drivers move: our quotes beside Redis.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use doorstep_bench_harness::rows::{Peer as Figure, Row, Unit, Wanted};
use doorstep_dispatch_wire::dispatch::dispatch_client::DispatchClient;
use doorstep_dispatch_wire::dispatch::{LatLng, QuoteRequest};
use doorstep_routing::SplitMix64;
use tokio::runtime::Builder;

use crate::child::Server;
use crate::contestants::WANTED;
use crate::debian;
use crate::fleet::{Arrival, Fleet};
use crate::link::places;

pub(crate) const ABOUT: &str = "5,000 drivers, 20,000 positions a second meanwhile, one question after another from one client. Ours is `Quote` over gRPC, which \
    is more than was asked of the peer: the 20 nearest drivers who may be asked, their drives to the pickup on the road, and the way from there to the door with \
    its length. Redis, `GEOSEARCH` in order with a radius of 500 m that doubles until 20 are found, holds the same positions in one set; its writer sends \
    `GEOADD` in batches of a millisecond. Medians and 99th percentiles of 2,000 questions.";

const PINGS_PER_S: u32 = 20_000;
const QUESTIONS: usize = 2_000;
const SPAN_MAX: Duration = Duration::from_secs(30);
const RADIUS_M: u32 = 500;
const RADIUS_MAX_M: u32 = 64_000;

pub(crate) fn rows() -> Result<Vec<Row>> {
    let places = places()?;
    let ours = ours(&places)?;
    println!(
        "ours: p50 {:.0} µs, p99 {:.0} µs",
        1e6 * ours.0,
        1e6 * ours.1
    );
    let redis = redis(&places);
    if let Ok(redis) = &redis {
        println!(
            "Redis: p50 {:.0} µs, p99 {:.0} µs",
            1e6 * redis.0,
            1e6 * redis.1
        );
    }
    let row = |name: &str, ours: f64, of: fn(&(f64, f64)) -> f64| Row {
        name: format!("quote-grpc-{name}"),
        unit: Unit::Micros,
        ours: Ok(ours),
        peers: vec![match &redis {
            Ok(figures) => Figure::new("Redis GEOSEARCH", of(figures)),
            Err(why) => Figure::missing("Redis GEOSEARCH", format!("absent, {why}")),
        }],
        wanted: Wanted::NoMoreThanPeer,
    };
    Ok(vec![
        row("p50", ours.0, |one| one.0),
        row("p99", ours.1, |one| one.1),
    ])
}

/// The middle and the 99th percentile of a client's questions, in seconds.
fn ours(places: &[[i32; 2]]) -> Result<(f64, f64)> {
    let server = Server::start("ours")?;
    let grpc = server.grpc.context("no gRPC")?;
    let over = Arc::new(AtomicBool::new(false));
    let (asking, all) = (Arc::clone(&over), places.to_vec());
    let (ready, is_ready) = std::sync::mpsc::channel();
    let pings = thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let arrival = Arrival {
                first: 1,
                drivers: all.len(),
                at_once: 32,
                resumes: false,
            };
            let mut fleet = Fleet::ours(&server, arrival).await?;
            fleet.on_duty(&all).await?;
            let (mut seq, begin) = (0, Instant::now());
            let second = Duration::from_secs(1);
            fleet.drive(&all, PINGS_PER_S, second, &mut seq).await?;
            ready.send(())?;
            while !asking.load(Ordering::Relaxed) && begin.elapsed() < SPAN_MAX {
                fleet
                    .drive(&all, PINGS_PER_S, second / 10, &mut seq)
                    .await?;
            }
            anyhow::Ok(())
        })
    });
    let asked = is_ready.recv().context("the drivers do not come");
    let figures = asked.and_then(|()| quotes(grpc, places));
    over.store(true, Ordering::Relaxed);
    match pings.join() {
        Ok(drove) => drove?,
        Err(_) => bail!("the drivers' thread panicked"),
    }
    figures
}

fn quotes(grpc: SocketAddr, places: &[[i32; 2]]) -> Result<(f64, f64)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut random = SplitMix64::new(31);
    let mut place = || {
        let [lat_e7, lng_e7] = places[random.below(places.len())];
        Some(LatLng { lat_e7, lng_e7 })
    };
    runtime.block_on(async {
        let mut client = DispatchClient::connect(format!("http://{grpc}")).await?;
        let mut seconds = Vec::with_capacity(QUESTIONS);
        for _ in 0..QUESTIONS {
            let request = QuoteRequest {
                pickup: place(),
                dropoff: place(),
            };
            let begin = Instant::now();
            let quote = client.quote(request).await?.into_inner();
            seconds.push(begin.elapsed().as_secs_f64());
            let drivers = usize::try_from(quote.drivers_considered)?;
            ensure!(drivers == WANTED, "{drivers} drivers considered");
        }
        Ok(percentiles(seconds))
    })
}

fn redis(places: &[[i32; 2]]) -> Result<(f64, f64)> {
    let redis = debian::Peer::redis()?;
    let address = redis.address;
    let mut writer = Resp::connect(address)?;
    for (driver, &place) in places.iter().enumerate() {
        writer.add(driver, place)?;
    }
    writer.settle(places.len())?;
    let over = Arc::new(AtomicBool::new(false));
    let (asking, all) = (Arc::clone(&over), places.to_vec());
    let updates = thread::spawn(move || {
        let (begin, mut sent) = (Instant::now(), 0_usize);
        while !asking.load(Ordering::Relaxed) && begin.elapsed() < SPAN_MAX {
            let due =
                usize::try_from(begin.elapsed().as_millis() * u128::from(PINGS_PER_S) / 1_000)?;
            let batch = due - sent;
            for at in sent..due {
                let driver = at % all.len();
                let step = i32::try_from(at / all.len() % 100)? * 200;
                writer.add(driver, [all[driver][0] + step, all[driver][1]])?;
            }
            writer.settle(batch)?;
            sent = due;
            thread::sleep(Duration::from_millis(1));
        }
        anyhow::Ok(())
    });
    let figures = searches(address, places);
    over.store(true, Ordering::Relaxed);
    match updates.join() {
        Ok(wrote) => wrote?,
        Err(_) => bail!("the writer panicked"),
    }
    figures
}

fn searches(redis: SocketAddr, places: &[[i32; 2]]) -> Result<(f64, f64)> {
    let (mut reader, mut random) = (Resp::connect(redis)?, SplitMix64::new(31));
    let mut seconds = Vec::with_capacity(QUESTIONS);
    for _ in 0..QUESTIONS {
        let place = places[random.below(places.len())];
        let begin = Instant::now();
        let mut radius = RADIUS_M;
        while reader.search(place, radius)? < WANTED {
            radius *= 2;
            ensure!(radius <= RADIUS_MAX_M, "fewer than {WANTED} drivers");
        }
        seconds.push(begin.elapsed().as_secs_f64());
    }
    Ok(percentiles(seconds))
}

fn percentiles(mut seconds: Vec<f64>) -> (f64, f64) {
    seconds.sort_by(f64::total_cmp);
    (
        seconds[seconds.len() / 2],
        seconds[seconds.len() / 100 * 99],
    )
}

/// A connection that speaks Redis' protocol.
struct Resp {
    stream: BufReader<TcpStream>,
    waiting: Vec<u8>,
}

impl Resp {
    fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
            waiting: Vec::new(),
        })
    }

    fn command(&mut self, words: &[&str]) {
        self.waiting.extend(format!("*{}\r\n", words.len()).bytes());
        for word in words {
            let word = format!("${}\r\n{word}\r\n", word.len());
            self.waiting.extend(word.bytes());
        }
    }

    /// To be sent with the others of its batch.
    fn add(&mut self, driver: usize, place: [i32; 2]) -> Result<()> {
        let [lat, lng] = degrees(place);
        self.command(&["GEOADD", "drivers", &lng, &lat, &driver.to_string()]);
        Ok(())
    }

    /// Sends what waits and reads so many answers.
    fn settle(&mut self, answers: usize) -> Result<()> {
        self.send()?;
        for _ in 0..answers {
            let line = self.line()?;
            ensure!(line.starts_with(':'), "Redis says {line:?}");
        }
        Ok(())
    }

    /// How many are found.
    fn search(&mut self, place: [i32; 2], radius_m: u32) -> Result<usize> {
        let [lat, lng] = degrees(place);
        let (radius, count) = (radius_m.to_string(), WANTED.to_string());
        self.command(&[
            "GEOSEARCH",
            "drivers",
            "FROMLONLAT",
            &lng,
            &lat,
            "BYRADIUS",
            &radius,
            "m",
            "ASC",
            "COUNT",
            &count,
        ]);
        self.send()?;
        let found = self.line()?;
        let found: usize = found.strip_prefix('*').context(found.clone())?.parse()?;
        for _ in 0..found {
            let length = self.line()?;
            let length: usize = length.strip_prefix('$').context(length.clone())?.parse()?;
            let mut name = vec![0; length + 2];
            self.stream.read_exact(&mut name)?;
        }
        Ok(found)
    }

    fn send(&mut self) -> Result<()> {
        self.stream.get_mut().write_all(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

fn degrees(place: [i32; 2]) -> [String; 2] {
    place.map(|e7| format!("{:.7}", f64::from(e7) / 1e7))
}
