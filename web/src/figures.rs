//! The figures of a process: one recorder, what the system says of the process, and requests by route.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the buckets of everything that is measured in seconds.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Real time between two clean-ups of the recorder.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

static FIGURES: OnceLock<(PrometheusHandle, Instant)> = OnceLock::new();

/// Starts to record; what was counted before is lost. To be called once, before the servers start; a second call does nothing.
///
/// # Errors
/// If another recorder is installed.
pub fn record() -> Result<(), BuildError> {
    if FIGURES.get().is_some() {
        return Ok(());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()?;
    // Whoever was first has installed the only recorder there is.
    let _ = FIGURES.set((handle, Instant::now()));
    Ok(())
}

/// Keeps the recorder small; runs for ever.
pub async fn upkeep() {
    loop {
        tokio::time::sleep(UPKEEP_EVERY).await;
        if let Some((handle, _)) = FIGURES.get() {
            handle.run_upkeep();
        }
    }
}

/// All figures in the text format of Prometheus; empty if nothing is recorded.
#[must_use]
pub fn render() -> String {
    let Some((handle, started)) = FIGURES.get() else {
        return String::new();
    };
    metrics::gauge!("doorstep_process_uptime_seconds").set(started.elapsed().as_secs_f64());
    if let Some(bytes) = resident_bytes() {
        metrics::gauge!("doorstep_process_resident_memory_bytes").set(bytes);
    }
    if let Some(files) = open_files() {
        metrics::gauge!("doorstep_process_open_files").set(files);
    }
    handle.render()
}

/// What the process holds in memory, in bytes; nothing where there is no `/proc`.
fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

fn open_files() -> Option<f64> {
    let count = std::fs::read_dir("/proc/self/fd").ok()?.count();
    u32::try_from(count).ok().map(f64::from)
}

/// Counts and times a request under the template of its route, and counts its stream while it is open. To be put on a
/// router with `layer`, around all of its routes.
pub async fn measure(request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let method = method_name(request.method());
    let began = Instant::now();
    let response = next.run(request).await;
    let status = match response.status().as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    metrics::counter!("doorstep_http_requests_total",
        "method" => method, "route" => route.clone(), "status" => status)
    .increment(1);
    metrics::histogram!("doorstep_http_request_duration_seconds", "method" => method, "route" => route.clone())
        .record(began.elapsed().as_secs_f64());
    if is_event_stream(&response) {
        let open = metrics::gauge!("doorstep_http_streams_open", "route" => route);
        return crate::streams::until_the_end(response, Counted::new(open));
    }
    response
}

/// Whether the answer is a stream of Server-Sent Events.
pub(crate) fn is_event_stream(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// A method that clients made up must not become a label.
fn method_name(method: &axum::http::Method) -> &'static str {
    use axum::http::Method;
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// One more in a gauge while it lives.
struct Counted(metrics::Gauge);

impl Counted {
    fn new(gauge: metrics::Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_system_says_what_the_process_holds() {
        if cfg!(target_os = "linux") {
            assert!(super::resident_bytes().is_some_and(|bytes| bytes > 1e5));
            assert!(super::open_files().is_some_and(|files| files >= 3.0));
        }
    }
}
