//! A PostgreSQL database of one test alone.

use std::process::Command;

use reqwest::Url;

/// Dropped with this value.
pub(crate) struct Database {
    server: Url,
    name: String,
}

impl Database {
    /// An empty database on the server of `DOORSTEP_POSTGRES_URL`; none where there is no server and none is required.
    pub(crate) fn create() -> Option<Self> {
        let server = std::env::var("DOORSTEP_POSTGRES_URL")
            .unwrap_or_else(|_| "postgres://root@127.0.0.1:5432/test".to_owned());
        let server: Url = server.parse().unwrap();
        let name = format!("doorstep_e2e_{}", uuid::Uuid::now_v7().simple());
        match psql(&server, &format!("CREATE DATABASE {name}")) {
            Ok(_) => Some(Self { server, name }),
            Err(why) => {
                let required =
                    std::env::var("DOORSTEP_REQUIRE_ALL").is_ok_and(|value| value == "1");
                assert!(!required, "PostgreSQL: {why}");
                println!(
                    "skipped: no PostgreSQL ({why}); apt-get install postgresql, or set DOORSTEP_POSTGRES_URL"
                );
                None
            }
        }
    }

    pub(crate) fn url(&self) -> Url {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        url
    }

    /// What a query answers: a row a line, its columns separated by `|`.
    pub(crate) fn query(&self, sql: &str) -> String {
        psql(&self.url(), sql).unwrap()
    }
}

fn psql(database: &Url, sql: &str) -> Result<String, String> {
    let output = Command::new("psql")
        .args([
            database.as_str(),
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--quiet",
        ])
        .args(["--set", "ON_ERROR_STOP=1", "--command", sql])
        .output()
        .map_err(|error| format!("psql: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A test that failed still wants its own message to be seen. Killed servers may not have closed their connections.
        let _ = psql(
            &self.server,
            &format!("DROP DATABASE {} WITH (FORCE)", self.name),
        );
    }
}
