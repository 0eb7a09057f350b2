//! How far a connection is with its request, and until when it may stay so.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::Limits;

/// No deadline: a request is being answered.
const NEVER: u64 = u64::MAX;

/// What a connection that missed its deadline was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The head of a request had begun, or the first one was awaited.
    Head,
    /// Between two requests.
    Idle,
    /// An answer was not read.
    Write,
}

impl Waiting {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Idle => "idle",
            Self::Write => "write",
        }
    }
}

/// Shared by the socket, which sees bytes, and the service, which sees requests. Written and read on the connection's
/// task, but for HTTP/2, whose requests have tasks of their own.
pub(super) struct Progress {
    opened: Instant,
    head: Duration,
    idle: Duration,
    write: Duration,
    /// Milliseconds since `opened`.
    read_deadline: AtomicU64,
    write_deadline: AtomicU64,
    in_head: AtomicBool,
    is_http2: AtomicBool,
    requests: AtomicU32,
}

impl Progress {
    pub(super) fn new(limits: &Limits) -> Self {
        let progress = Self {
            opened: Instant::now(),
            head: limits.head_timeout,
            idle: limits.idle_timeout,
            write: limits.write_timeout,
            read_deadline: AtomicU64::new(NEVER),
            write_deadline: AtomicU64::new(NEVER),
            in_head: AtomicBool::new(true),
            is_http2: AtomicBool::new(false),
            requests: AtomicU32::new(0),
        };
        progress.read_within(progress.head);
        progress
    }

    fn after(&self, duration: Duration) -> u64 {
        let at = self.opened.elapsed() + duration;
        u64::try_from(at.as_millis()).unwrap_or(NEVER - 1)
    }

    fn read_within(&self, duration: Duration) {
        self.read_deadline
            .store(self.after(duration), Ordering::Relaxed);
    }

    /// Bytes have come. On HTTP/2 they may be of frames that are no request; there the idle time bounds all of it.
    fn on_bytes(&self) {
        let is_idle = self.requests.load(Ordering::Relaxed) == 0
            && !self.is_http2.load(Ordering::Relaxed)
            && !self.in_head.swap(true, Ordering::Relaxed);
        if is_idle {
            self.read_within(self.head);
        }
    }

    fn on_write(&self, is_blocked: bool) {
        let is_running = self.write_deadline.load(Ordering::Relaxed) != NEVER;
        if is_blocked != is_running {
            let deadline = if is_blocked {
                self.after(self.write)
            } else {
                NEVER
            };
            self.write_deadline.store(deadline, Ordering::Relaxed);
        }
    }

    /// A request has come whole but for its body.
    pub(super) fn begin(self: &Arc<Self>, is_http2: bool) -> Serving {
        self.is_http2.store(is_http2, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.in_head.store(false, Ordering::Relaxed);
        self.read_deadline.store(NEVER, Ordering::Relaxed);
        Serving(Arc::clone(self))
    }

    /// No new request is awaited any more: heads that have begun get little time.
    pub(super) fn hasten(&self, most: Duration) {
        let soon = self.after(most);
        if self.requests.load(Ordering::Relaxed) == 0 {
            self.read_deadline.fetch_min(soon, Ordering::Relaxed);
        }
    }

    /// When the connection is to be closed, and why; `None` while an answer is on its way.
    pub(super) fn deadline(&self) -> Option<(Instant, Waiting)> {
        let read = self.read_deadline.load(Ordering::Relaxed);
        let write = self.write_deadline.load(Ordering::Relaxed);
        let waiting = match (write < read, self.in_head.load(Ordering::Relaxed)) {
            (true, _) => Waiting::Write,
            (false, true) => Waiting::Head,
            (false, false) => Waiting::Idle,
        };
        let at = read.min(write);
        (at != NEVER).then(|| (self.opened + Duration::from_millis(at), waiting))
    }
}

/// A request that is being answered, until its answer is written or given up.
pub(super) struct Serving(Arc<Progress>);

impl Drop for Serving {
    fn drop(&mut self) {
        if self.0.requests.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.read_within(self.0.idle);
        }
    }
}

/// A socket that notes its progress.
pub(super) struct Noting<I> {
    pub(super) inner: I,
    pub(super) progress: Arc<Progress>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Noting<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.progress.on_bytes();
        }
        polled
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Noting<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.progress.on_write(polled.is_pending());
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.progress.on_write(polled.is_pending());
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(context);
        self.progress.on_write(polled.is_pending());
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_shutdown(context);
        self.progress.on_write(polled.is_pending());
        polled
    }
}
