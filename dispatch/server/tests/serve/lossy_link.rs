//! A mobile network in user space: packets between apps and a server that come late, twice, from another address, or never.
//!
//! Round trips are drawn as measured in India (350, 425, 725 and 2,300 ms at the median, 75th, 95th and 99th percentile), anew for
//! each link and second; one second of eight is a burst, in which 7 % are lost, else 3 %.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorstep_routing::SplitMix64;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep};

/// Quantiles of the round trip: thousandths and milliseconds.
const ROUND_TRIPS: [(usize, usize); 6] = [
    (0, 250),
    (500, 350),
    (750, 425),
    (950, 725),
    (990, 2_300),
    (1_000, 2_600),
];
/// How long a link stays as it is.
const EPOCH: Duration = Duration::from_secs(1);
/// One epoch of so many is a burst of loss.
const BURST_EVERY: usize = 8;
const LOST_PERMILLE: usize = 30;
const LOST_IN_BURSTS_PERMILLE: usize = 70;
const TWICE_PERMILLE: usize = 20;
/// One epoch of so many begins with another address.
const REBIND_EVERY: usize = 20;

/// What the network did.
#[derive(Debug, Default, Clone)]
pub(crate) struct Made {
    /// Of each packet to an app, in milliseconds.
    round_trips: Vec<usize>,
    pub(crate) packets: usize,
    pub(crate) lost: usize,
    pub(crate) twice: usize,
    pub(crate) rebinds: usize,
}

impl Made {
    /// The round trip at a quantile, in milliseconds.
    pub(crate) fn round_trip(&self, permille: usize) -> usize {
        let mut sorted = self.round_trips.clone();
        sorted.sort_unstable();
        sorted[(sorted.len() * permille / 1_000).min(sorted.len() - 1)]
    }
}

/// How a link is at the moment.
#[derive(Debug, Clone, Copy)]
struct Weather {
    until: Instant,
    round_trip: usize,
    lost_permille: usize,
}

/// Draws for one direction of all links.
struct Draws {
    random: SplitMix64,
    made: Arc<Mutex<Made>>,
}

impl Draws {
    fn weather(&mut self) -> Weather {
        let at = self.random.below(1_000);
        let above = ROUND_TRIPS.iter().position(|&(permille, _)| permille > at);
        let above = above.unwrap_or(ROUND_TRIPS.len() - 1);
        let ((low, from), (high, to)) = (ROUND_TRIPS[above - 1], ROUND_TRIPS[above]);
        let is_burst = self.random.below(BURST_EVERY) == 0;
        Weather {
            until: Instant::now() + EPOCH,
            round_trip: from + (to - from) * (at - low) / (high - low),
            lost_permille: if is_burst {
                LOST_IN_BURSTS_PERMILLE
            } else {
                LOST_PERMILLE
            },
        }
    }

    /// How many copies of a packet arrive.
    fn copies(&mut self, weather: Weather) -> usize {
        let mut made = self.made.lock().unwrap();
        made.packets += 1;
        if self.random.below(1_000) < weather.lost_permille {
            made.lost += 1;
            return 0;
        }
        let is_twice = self.random.below(1_000) < TWICE_PERMILLE;
        made.twice += usize::from(is_twice);
        1 + usize::from(is_twice)
    }
}

/// Starts the network before a server. Says where apps connect, and what it will have made.
pub(crate) async fn start(server: SocketAddr, seed: u64) -> (SocketAddr, Arc<Mutex<Made>>) {
    let front = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = front.local_addr().unwrap();
    let made = Arc::new(Mutex::new(Made::default()));
    let draws = Draws {
        random: SplitMix64::new(seed),
        made: Arc::clone(&made),
    };
    tokio::spawn(forward(front, server, draws));
    (address, made)
}

/// From apps to the server: at once, or never, and now and then from another address.
async fn forward(front: Arc<UdpSocket>, server: SocketAddr, mut draws: Draws) {
    let mut links: BTreeMap<SocketAddr, (Arc<UdpSocket>, Weather)> = BTreeMap::new();
    let mut packet = [0; 2_048];
    while let Ok((bytes, app)) = front.recv_from(&mut packet).await {
        let is_known = links.contains_key(&app);
        let is_over = links
            .get(&app)
            .is_none_or(|(_, weather)| weather.until <= Instant::now());
        if is_over {
            let weather = draws.weather();
            let moves = !is_known || draws.random.below(REBIND_EVERY) == 0;
            if moves {
                let back = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
                draws.made.lock().unwrap().rebinds += usize::from(is_known);
                let seed = draws.random.next();
                let draws = Draws {
                    random: SplitMix64::new(seed),
                    made: Arc::clone(&draws.made),
                };
                tokio::spawn(answer(Arc::clone(&back), Arc::clone(&front), app, draws));
                links.insert(app, (back, weather));
            } else if let Some(link) = links.get_mut(&app) {
                link.1 = weather;
            }
        }
        let (back, weather) = &links[&app];
        for _ in 0..draws.copies(*weather) {
            // A full buffer is one more loss.
            let _ = back.send_to(&packet[..bytes], server).await;
        }
    }
}

/// From the server to an app: a round trip later, or never. Packets to an address that the app has left still arrive.
async fn answer(back: Arc<UdpSocket>, front: Arc<UdpSocket>, app: SocketAddr, mut draws: Draws) {
    let mut weather = draws.weather();
    let mut packet = [0; 2_048];
    while let Ok(bytes) = back.recv(&mut packet).await {
        if weather.until <= Instant::now() {
            weather = draws.weather();
        }
        let copies = draws.copies(weather);
        draws
            .made
            .lock()
            .unwrap()
            .round_trips
            .push(weather.round_trip);
        for _ in 0..copies {
            let (front, copy) = (Arc::clone(&front), packet[..bytes].to_vec());
            let late = Duration::from_millis(weather.round_trip as u64);
            tokio::spawn(async move {
                sleep(late).await;
                let _ = front.send_to(&copy, app).await;
            });
        }
    }
}
