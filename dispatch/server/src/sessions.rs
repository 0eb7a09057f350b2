//! The current session of each driver: the newest.

use std::collections::BTreeMap;

use doorstep_dispatch_core::DriverId;
use doorstep_dispatch_wire::driver::ServerFrame;
use doorstep_dispatch_wire::version::CloseCode;
use tokio::sync::{mpsc, oneshot};

/// One connection of one driver. Never used twice while the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionId(pub(crate) u64);

/// The shard's end of a session.
#[derive(Debug)]
pub(crate) struct SessionHandle {
    pub(crate) session: SessionId,
    /// Frames to the app, bounded.
    pub(crate) outbound: mpsc::Sender<ServerFrame>,
    /// Ends the session.
    pub(crate) close: oneshot::Sender<CloseCode>,
}

/// The current session of each connected driver.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    handles: BTreeMap<DriverId, SessionHandle>,
}

impl Sessions {
    /// Makes a session the current one of its driver. The one before it is closed: the app may have lost it without the server noticing.
    pub(crate) fn connect(&mut self, driver: DriverId, handle: SessionHandle) {
        if let Some(old) = self.handles.insert(driver, handle) {
            close(old, CloseCode::Replaced);
        }
    }

    /// Whether the driver is without a session now: not if a newer one is there.
    pub(crate) fn disconnect(&mut self, driver: DriverId, session: SessionId) -> bool {
        let current = self.is_current(driver, session);
        if current {
            self.handles.remove(&driver);
        }
        current
    }

    pub(crate) fn is_current(&self, driver: DriverId, session: SessionId) -> bool {
        self.handles
            .get(&driver)
            .is_some_and(|handle| handle.session == session)
    }

    /// Sends a frame to the driver's session, if there is one, and it is `only` where that is given. A session that
    /// reads too slowly is closed: after reconnecting the app is sent its state anew.
    pub(crate) fn send(&mut self, driver: DriverId, only: Option<SessionId>, frame: ServerFrame) {
        let Some(handle) = self
            .handles
            .get(&driver)
            .filter(|handle| only.is_none_or(|only| only == handle.session))
        else {
            return;
        };
        if let Err(mpsc::error::TrySendError::Full(_)) = handle.outbound.try_send(frame)
            && let Some(slow) = self.handles.get_mut(&driver)
        {
            // The handle stays until the session says that it has ended: then the driver counts as lost.
            let (closed, _) = oneshot::channel();
            let close_now = std::mem::replace(&mut slow.close, closed);
            let _ = close_now.send(CloseCode::TooSlow);
        }
    }
}

fn close(handle: SessionHandle, code: CloseCode) {
    // A session that has ended by itself needs no notice.
    let _ = handle.close.send(code);
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::DriverId;
    use doorstep_dispatch_wire::driver::ServerFrame;
    use doorstep_dispatch_wire::version::CloseCode;
    use tokio::sync::{mpsc, oneshot};

    use super::{SessionHandle, SessionId, Sessions};

    const DRIVER: DriverId = DriverId(7);

    struct Session {
        outbound: mpsc::Receiver<ServerFrame>,
        close: oneshot::Receiver<CloseCode>,
    }

    fn handle(number: u64) -> (SessionHandle, Session) {
        let (outbound, frames) = mpsc::channel(2);
        let (close, closed) = oneshot::channel();
        (
            SessionHandle {
                session: SessionId(number),
                outbound,
                close,
            },
            Session {
                outbound: frames,
                close: closed,
            },
        )
    }

    #[test]
    fn a_newer_session_takes_the_place_and_the_old_end_changes_nothing() {
        let mut sessions = Sessions::default();
        let (old_handle, mut old) = handle(1);
        let (new_handle, mut new) = handle(2);
        sessions.connect(DRIVER, old_handle);
        sessions.connect(DRIVER, new_handle);
        assert_eq!(old.close.try_recv(), Ok(CloseCode::Replaced));
        assert!(!sessions.disconnect(DRIVER, SessionId(1)));

        sessions.send(DRIVER, Some(SessionId(1)), ServerFrame::default());
        assert!(new.outbound.try_recv().is_err());
        sessions.send(DRIVER, None, ServerFrame::default());
        assert!(new.outbound.try_recv().is_ok());
        assert!(sessions.disconnect(DRIVER, SessionId(2)));
        assert!(!sessions.is_current(DRIVER, SessionId(2)));
    }

    #[test]
    fn a_session_that_does_not_read_is_closed_and_still_ends_once() {
        let mut sessions = Sessions::default();
        let (slow_handle, mut slow) = handle(1);
        sessions.connect(DRIVER, slow_handle);
        for _ in 0..2 {
            sessions.send(DRIVER, None, ServerFrame::default());
        }
        assert!(slow.close.try_recv().is_err());
        for _ in 0..2 {
            sessions.send(DRIVER, None, ServerFrame::default());
        }
        assert_eq!(slow.close.try_recv(), Ok(CloseCode::TooSlow));
        assert!(sessions.disconnect(DRIVER, SessionId(1)));
    }
}
