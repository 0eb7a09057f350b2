//! Takes changed settings over into a running control plane at SIGHUP.

use std::path::PathBuf;

use anyhow::Context;
use doorstep_control_plane::config::Policy;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::set_log_level;
use crate::settings::{Overrides, Settings};

/// Where settings are read again from: the same file, the same flags.
pub(crate) struct Reload {
    file: Option<PathBuf>,
    flags: Overrides,
}

impl Reload {
    pub(crate) fn new(file: Option<PathBuf>, flags: Overrides) -> Self {
        Self { file, flags }
    }

    /// The signals that ask for it.
    pub(crate) fn signals() -> anyhow::Result<Signal> {
        signal(SignalKind::hangup()).context("waiting for SIGHUP")
    }

    /// Reads the settings as they are now.
    pub(crate) fn read(&self) -> anyhow::Result<Settings> {
        Settings::load(self.file.as_deref(), &self.flags)
    }

    /// Reads again and answers what holds from now on: of a file with a mistake nothing is taken, and what only a restart
    /// can change is named and stays as it was.
    pub(crate) fn take_over(&self, old: Settings, set_policy: impl FnOnce(Policy)) -> Settings {
        let read = self.read().and_then(|new| {
            let policy = new.control_policy()?;
            Ok((new, policy))
        });
        let (new, policy) = match read {
            Ok(read) => read,
            Err(error) => {
                tracing::error!("settings are not reloaded, the old ones stay in force: {error:#}");
                return old;
            }
        };
        for key in old.fixed_changes(&new) {
            tracing::warn!(
                key,
                "the setting has changed in the file; a restart is needed for it"
            );
        }
        // The currency is not among what reloads; prices in it are.
        set_policy(Policy {
            currency: old
                .control_policy()
                .map_or(policy.currency, |old| old.currency),
            ..policy
        });
        if let Err(error) = set_log_level(new.text("log").unwrap_or("info")) {
            tracing::error!("the level of the log stays: {error:#}");
        }
        tracing::info!("settings are reloaded");
        old.with_reloaded(&new)
    }
}
