//! Where a command finds the control plane, and whom it trusts on the way there.

use std::path::PathBuf;
use std::time::Duration;

use doorstep_web::tls;
use reqwest::Url;

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the control plane is.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ServerAddress {
    /// Where the control plane serves HTTP or HTTPS
    #[arg(
        long = "server",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(crate) url: Url,
    /// A PEM file with authorities to trust beside the public ones, where the address is https
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

impl ServerAddress {
    /// A client that waits 10 s for an answer.
    pub(crate) fn client(&self) -> anyhow::Result<reqwest::Client> {
        let trust = tls::client_config(self.ca.as_deref())?;
        let client = reqwest::Client::builder().tls_backend_preconfigured(trust);
        Ok(client.timeout(ANSWER_TIMEOUT).build()?)
    }

    /// What to do where no answer came.
    pub(crate) fn no_answer(&self, error: reqwest::Error) -> anyhow::Error {
        let what_to_do = if tls::is_distrust(&error) {
            format!(
                "the certificate of {} is not accepted (--ca names an authority to trust)",
                self.url
            )
        } else {
            format!(
                "nothing answers at {}: is `doorstep demo` running, or is it elsewhere (--server)?",
                self.url
            )
        };
        anyhow::Error::new(error).context(what_to_do)
    }
}
