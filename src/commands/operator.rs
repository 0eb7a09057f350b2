//! The operator's questions to a running control plane: where it is, who asks, and what an error says to do next.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use doorstep_dispatch_wire::token::{Audience, Claims};
use reqwest::{RequestBuilder, StatusCode, Url};
use serde_json::Value;

use super::server_address::ServerAddress;
use super::token::read_key;

/// How long the token of a question is good.
const TOKEN_LIFE: Duration = Duration::from_secs(300);

/// Who asks, and where.
pub(crate) struct Operator<'a> {
    pub(crate) server: &'a ServerAddress,
    /// A file with the key that signs tokens; none: the page is open to everybody.
    pub(crate) token_key: Option<&'a Path>,
    /// The subject of the token.
    pub(crate) name: &'a str,
}

impl Operator<'_> {
    /// Asks for something.
    pub(crate) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(self.server.client()?.get(url)).await
    }

    /// Has something done, once for each key.
    pub(crate) async fn post(
        &self,
        path: &[&str],
        key: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let request = self.server.client()?.post(self.url(path)?);
        self.send(request.header("idempotency-key", key).json(body))
            .await
    }

    fn url(&self, path: &[&str]) -> anyhow::Result<Url> {
        let mut url = self.server.url.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow::anyhow!("{} is not the address of a server", self.server.url))?
            .pop_if_empty()
            .extend(path);
        Ok(url)
    }

    async fn send(&self, mut request: RequestBuilder) -> anyhow::Result<Value> {
        if let Some(path) = self.token_key {
            let expires_at = SystemTime::now().duration_since(UNIX_EPOCH)? + TOKEN_LIFE;
            let token = read_key(path)?.sign(&Claims {
                audience: Audience::Admin,
                subject: self.name.to_owned(),
                expires_at_ms: u64::try_from(expires_at.as_millis())?,
            });
            request = request.bearer_auth(token);
        }
        let response = request.send().await;
        let response = response.map_err(|error| self.server.no_answer(error))?;
        let status = response.status();
        let body: Value = response
            .json()
            .await
            .with_context(|| format!("{} answers {status} without JSON", self.server.url))?;
        if status.is_success() {
            return Ok(body);
        }
        let detail = body["detail"].as_str().unwrap_or("no reason given");
        if status == StatusCode::UNAUTHORIZED {
            bail!("{detail}: give the system's key with --token-key");
        }
        bail!("{detail}");
    }
}
