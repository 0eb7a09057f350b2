//! From settings to what the servers are started with. Structs are written out whole: a new field does not compile
//! until it has a setting.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use doorstep_control_plane::config::{Leases, Policy as ControlPolicy, Retention};
use doorstep_control_plane::domain::money::BasisPoints;
use doorstep_dispatch_core::{AdvicePolicy, Dwells, Policy, PolicyFields};
use doorstep_dispatch_server::{CertificateSource, Limits};
use doorstep_routing::Profile;

use doorstep_web::limits::{Rate, RateLimits};
use doorstep_web::serve::{Limits as HttpLimits, ServeConfig};
use doorstep_web::tls::{CertificateFiles, ServerTls};

use super::Settings;
use super::keys::networks;
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
            handshakes_max: self.count(&key("handshakes_max")),
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
            segment_age_max: self.duration(&key("segment_age_max")),
            segment_records_max: self.count(&key("segment_records_max")) as u64,
            journal_keep: self.duration(&key("journal_keep")),
            driver_picture_age_max: self.duration(&key("driver_picture_age_max")),
        }
    }

    /// By what apps know dispatch.
    ///
    /// # Errors
    /// When only one of certificate and key is named.
    pub(crate) fn certificate(&self) -> anyhow::Result<CertificateSource> {
        let names = ["dispatch.certificate", "dispatch.certificate_key"];
        Ok(match pair(names, names.map(|name| self.path(name)))? {
            Some([chain, key]) => CertificateSource::Files { chain, key },
            None => CertificateSource::SelfSigned {
                names: vec!["localhost".to_owned()],
            },
        })
    }

    /// What encrypts the gRPC port: certificate and private key.
    ///
    /// # Errors
    /// When only one of both is named.
    pub(crate) fn grpc_certificate(&self) -> anyhow::Result<Option<(PathBuf, PathBuf)>> {
        let names = ["dispatch.grpc_certificate", "dispatch.grpc_certificate_key"];
        let both = pair(names, names.map(|name| self.path(name)))?;
        Ok(both.map(|[chain, key]| (chain, key)))
    }

    /// How the control plane serves HTTP.
    ///
    /// # Errors
    /// When certificate and key do not go together.
    pub(crate) fn serve_config(&self) -> anyhow::Result<ServeConfig> {
        let key = |name: &str| format!("control_plane.http.{name}");
        let mut config = ServeConfig::new("public");
        config.limits = HttpLimits {
            connections_max: self.count(&key("connections_max")),
            head_timeout: self.duration(&key("head_timeout")),
            head_bytes_max: self.count(&key("head_bytes_max")),
            body_timeout: self.duration(&key("body_timeout")),
            idle_timeout: self.duration(&key("idle_timeout")),
            write_timeout: self.duration(&key("write_timeout")),
            http2_streams_max: self.small(&key("http2_streams_max")),
            shutdown_grace: self.duration(&key("shutdown_grace")),
        };
        let proxies = self.text(&key("trusted_proxies")).and_then(networks);
        config.trusted_proxies = proxies.unwrap_or_default().into();
        let names = ["control_plane.tls_certificate", "control_plane.tls_key"];
        config.tls = open_tls(names, names.map(|name| self.path(name)))?;
        Ok(config)
    }

    /// What one address and one principal may ask for.
    pub(crate) fn rate_limits(&self) -> RateLimits {
        let key = |name: &str| format!("control_plane.rate_limits.{name}");
        let rate = |of: &str| {
            let burst = self.small(&key(&format!("{of}_burst")));
            let every = self.duration(&key(&format!("{of}_every")));
            (burst > 0).then_some(Rate { every, burst })
        };
        let streams_max = self.small(&key("streams_max"));
        RateLimits {
            address: rate("address"),
            principal: rate("principal"),
            anonymous: rate("anonymous"),
            streams_max: (streams_max > 0).then_some(streams_max),
            remembered_max: self.count(&key("remembered_max")),
        }
    }

    /// When a process of the control plane counts as dead.
    pub(crate) fn leases(&self) -> Leases {
        Leases {
            beat: self.duration("control_plane.leases.beat"),
            dead_after: self.duration("control_plane.leases.dead_after"),
        }
    }

    /// How long the control plane keeps what only serves for a time.
    pub(crate) fn retention(&self) -> Retention {
        let key = |name: &str| format!("control_plane.retention.{name}");
        Retention {
            quotes: self.duration(&key("quotes")),
            idempotency_keys: self.duration(&key("idempotency_keys")),
            inbox: self.duration(&key("inbox")),
            changes: self.duration(&key("changes")),
            every: self.duration(&key("every")),
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
            quote_timeout: self.duration("timeouts.quote"),
            payment_timeout: self.duration("timeouts.payment"),
            accept_timeout: self.duration("timeouts.accept"),
            pickup_timeout: self.duration("timeouts.pickup"),
            dropoff_timeout: self.duration("timeouts.dropoff"),
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

    /// A listening address, if it is set.
    ///
    /// # Errors
    /// Never for a checked setting.
    pub(crate) fn address_if_set(&self, name: &str) -> anyhow::Result<Option<SocketAddr>> {
        self.text(name).map(|_| self.address(name)).transpose()
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

/// HTTPS by a certificate and its key, with the names by which they are set; none of both: HTTP.
///
/// # Errors
/// When only one is set, or the files are not such.
pub(crate) fn open_tls(
    names: [&str; 2],
    files: [Option<PathBuf>; 2],
) -> anyhow::Result<Option<ServerTls>> {
    let both = pair(names, files)?;
    let open = both.map(|[chain, key]| ServerTls::open(CertificateFiles { chain, key }));
    Ok(open.transpose()?)
}

/// Both of a certificate and its private key, or none.
fn pair(names: [&str; 2], files: [Option<PathBuf>; 2]) -> anyhow::Result<Option<[PathBuf; 2]>> {
    let [certificate, key] = names;
    match files {
        [Some(chain), Some(private)] => Ok(Some([chain, private])),
        [None, None] => Ok(None),
        [Some(_), None] => {
            anyhow::bail!(
                "{certificate} is set and {key} is not: a certificate needs its private key"
            )
        }
        [None, Some(_)] => {
            anyhow::bail!(
                "{key} is set and {certificate} is not: a private key needs its certificate"
            )
        }
    }
}
