//! Datagrams that the system dropped because the socket's buffer was full: `/proc/net/udp` counts them.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::metrics;

/// How often the count is read.
const INTERVAL: Duration = Duration::from_secs(5);

/// Keeps the metric up to date until `stop`. Where there is no such file nothing is counted.
pub(crate) fn start(address: SocketAddr, stop: CancellationToken) {
    let path = match address {
        SocketAddr::V4(_) => "/proc/net/udp",
        SocketAddr::V6(_) => "/proc/net/udp6",
    };
    tokio::spawn(async move {
        loop {
            let Ok(table) = fs::read_to_string(path) else {
                return;
            };
            if let Some(dropped) = dropped(&table, address.port()) {
                metrics::datagrams_dropped(dropped);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    });
}

/// The last column of the line of a local port.
fn dropped(table: &str, port: u16) -> Option<u64> {
    let wanted = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_whitespace();
        let local = columns.nth(1)?;
        local
            .ends_with(&wanted)
            .then(|| columns.last()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::dropped;

    #[test]
    fn the_line_of_the_port_says_how_many() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  361: 0100007F:1151 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 11000 2 0000000000000000 0
  362: 00000000:D431 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12000 2 0000000000000000 31415
";
        assert_eq!(dropped(table, 0xD431), Some(31_415));
        assert_eq!(dropped(table, 4_433), Some(0));
        assert_eq!(dropped(table, 80), None);
        assert_eq!(dropped("", 80), None);
    }
}
