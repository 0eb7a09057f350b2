//! From settings to what the servers are started with. Structs are written out whole: a new field does not compile
//! until it has a setting.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use doorstep_control_plane::config::Policy as ControlPolicy;
use doorstep_control_plane::domain::money::BasisPoints;
use doorstep_dispatch_core::{AdvicePolicy, Dwells, Policy, PolicyFields};
use doorstep_dispatch_server::{CertificateSource, Limits};
use doorstep_routing::Profile;

use super::Settings;
use super::value::Value;

impl Settings {
    /// How dispatch decides.
    pub(crate) fn dispatch_policy(&self) -> Policy {
        let mut policy = Policy::default();
        self.fill(&mut policy);
        let mut dwells = Dwells::default();
        self.fill(&mut dwells);
        policy.dwells = dwells;
        if let Some(Value::Levels(levels)) = self.value("dispatch.policy.search_levels") {
            policy.search_levels.clone_from(levels);
        }
        policy.advice = self.flag("dispatch.policy.advice.enabled").then(|| {
            let mut advice = AdvicePolicy::default();
            self.fill(&mut advice);
            advice
        });
        policy
    }

    fn fill<S: PolicyFields>(&self, target: &mut S) {
        for field in S::FIELDS {
            let number = self.number(&format!("dispatch.policy.{}", field.name));
            (field.write)(target, number);
        }
    }

    /// What apps may take of dispatch.
    pub(crate) fn dispatch_limits(&self) -> Limits {
        let key = |name: &str| format!("dispatch.limits.{name}");
        Limits {
            connections_max: self.count(&key("connections_max")),
            frames_per_s_max: self.small(&key("frames_per_s_max")),
            pings_per_s_max: self.small(&key("pings_per_s_max")),
            hello_timeout: self.duration(&key("hello_timeout")),
            write_timeout: self.duration(&key("write_timeout")),
            idle_timeout: self.duration(&key("idle_timeout")),
            commands_max: self.count(&key("commands_max")),
            command_timeout: self.duration(&key("command_timeout")),
            outbound_frames_max: self.count(&key("outbound_frames_max")),
            events_max: self.count(&key("events_max")),
            drain_timeout: self.duration(&key("drain_timeout")),
            driver_picture_age_max: self.duration(&key("driver_picture_age_max")),
        }
    }

    /// By what apps know dispatch.
    ///
    /// # Errors
    /// When only one of certificate and key is named.
    pub(crate) fn certificate(&self) -> anyhow::Result<CertificateSource> {
        let chain = self.path("dispatch.certificate");
        let key = self.path("dispatch.certificate_key");
        match (chain, key) {
            (Some(chain), Some(key)) => Ok(CertificateSource::Files { chain, key }),
            (None, None) => Ok(CertificateSource::SelfSigned {
                names: vec!["localhost".to_owned()],
            }),
            (Some(_), None) => anyhow::bail!(
                "dispatch.certificate is set and dispatch.certificate_key is not: a certificate needs its private key"
            ),
            (None, Some(_)) => anyhow::bail!(
                "dispatch.certificate_key is set and dispatch.certificate is not: a private key needs its certificate"
            ),
        }
    }

    /// Prices, shares and time-outs of the control plane.
    ///
    /// # Errors
    /// When the currency is none.
    pub(crate) fn control_policy(&self) -> anyhow::Result<ControlPolicy> {
        let currency = self.text("currency").unwrap_or_default();
        Ok(ControlPolicy {
            currency: currency.parse().context("currency")?,
            base_fee_minor: self.minor("fees.base_fee_minor"),
            included_m: self.number("fees.included_m"),
            per_km_minor: self.minor("fees.per_km_minor"),
            commission: BasisPoints::new(self.small("fees.commission_bp")),
            driver_share: BasisPoints::new(self.small("fees.driver_share_bp")),
            quote_patience: self.duration("timeouts.quote"),
            payment_patience: self.duration("timeouts.payment"),
            accept_patience: self.duration("timeouts.accept"),
            pickup_patience: self.duration("timeouts.pickup"),
            dropoff_patience: self.duration("timeouts.dropoff"),
            preparation: self.duration("timeouts.preparation"),
        })
    }

    /// Whose roads.
    ///
    /// # Errors
    /// Never for a checked setting.
    pub(crate) fn profile(&self) -> anyhow::Result<Profile> {
        self.name("profile")
            .parse()
            .map_err(|wrong| anyhow::anyhow!("profile: {wrong}"))
    }

    /// A file or folder, if it is set.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// A listening address.
    ///
    /// # Errors
    /// When it is not set.
    pub(crate) fn address(&self, name: &str) -> anyhow::Result<SocketAddr> {
        let text = self
            .text(name)
            .with_context(|| format!("{name} is not set"))?;
        text.parse().with_context(|| name.to_owned())
    }

    /// A duration.
    pub(crate) fn duration(&self, name: &str) -> Duration {
        Duration::from_millis(self.number(name))
    }

    /// Whether the gRPC port takes calls without a token.
    pub(crate) fn grpc_is_open(&self) -> bool {
        self.flag("dispatch.open_grpc")
    }

    /// City milliseconds between two pings of an app.
    pub(crate) fn ping_interval_ms(&self) -> u32 {
        self.small("dispatch.ping_interval")
    }

    fn count(&self, name: &str) -> usize {
        usize::try_from(self.number(name)).unwrap_or(usize::MAX)
    }

    fn small(&self, name: &str) -> u32 {
        u32::try_from(self.number(name)).unwrap_or(u32::MAX)
    }

    fn minor(&self, name: &str) -> i64 {
        i64::try_from(self.number(name)).unwrap_or(i64::MAX)
    }
}
