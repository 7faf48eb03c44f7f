//! Programs that are not ours: PostgreSQL, anvil, Kubo.

use crate::layout::Layout;
use crate::network_file::Entry;
use crate::services::service_entry;
use crate::supervisor::Supervisor;
use anyhow::{Context, Result};
use clap::Args;
use local_services::{Anvil, AnvilOptions, Kubo, KuboOptions, Postgres};
use sqlx::{Connection, PgConnection};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// anvil's own chain id.
pub const LOCAL_CHAIN_ID: u64 = 31_337;
/// `finalized` stands two of these behind the head.
pub const ANVIL_SLOTS_IN_AN_EPOCH: u64 = 4;
/// How often it is looked whether PostgreSQL and anvil still run.
const REVIVE_INTERVAL: Duration = Duration::from_millis(500);
/// The database of a local network.
pub const DATABASE: &str = "hotpot";

/// What is used rather than started.
#[derive(Clone, Debug, Args)]
pub struct ExternalArgs {
    /// Use this EVM node rather than starting anvil. It must not be of a public chain.
    #[arg(long, value_name = "URL")]
    pub evm_rpc: Option<String>,
    /// Where recordings are kept: a Kubo node (the URL of its RPC); `own`: one that is started here; `built-in`, as
    /// without this: a block store with the same CIDs.
    #[arg(long, value_name = "URL")]
    pub ipfs: Option<String>,
    /// Use this PostgreSQL database rather than starting a cluster.
    #[arg(long, value_name = "URL", conflicts_with = "database_url_file")]
    pub database_url: Option<String>,
    /// The same, read from a file, so that it appears in no process list.
    #[arg(long, value_name = "FILE")]
    pub database_url_file: Option<PathBuf>,
    /// Milliseconds between anvil's blocks; what is eight blocks old is final.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(100..))]
    pub anvil_block_ms: u64,
}

/// Programs that are not ours.
#[derive(Default)]
pub struct External {
    postgres: Option<(Postgres, PathBuf)>,
    anvil: Option<(Anvil, AnvilOptions)>,
    kubo: Option<(Kubo, KuboOptions)>,
}

/// What `--ipfs` takes instead of a URL: a Kubo of our own, or none.
const OWN: &str = "own";
const BUILT_IN: &str = "built-in";

impl External {
    /// The database to use: a given one, or a cluster of our own.
    pub async fn start_database(&mut self, args: &ExternalArgs, layout: &Layout) -> Result<String> {
        let given = match (&args.database_url, &args.database_url_file) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(file)) => Some(std::fs::read_to_string(file)?.trim().to_owned()),
            (None, None) => None,
        };
        let url = match given {
            Some(url) => url,
            None => self.start_postgres(&layout.dir.join("postgres")).await?,
        };
        service_kit::files::write_atomically(&layout.database_url_file(), url.as_bytes())?;
        Ok(url)
    }

    async fn start_postgres(&mut self, dir: &Path) -> Result<String> {
        let postgres = Postgres::start(dir).await?;
        create_database(&postgres.url("postgres")).await?;
        let url = postgres.url(DATABASE);
        self.postgres = Some((postgres, dir.to_owned()));
        Ok(url)
    }

    /// The EVM node to use: a given one, or anvil.
    pub async fn start_evm(
        &mut self,
        args: &ExternalArgs,
        layout: &Layout,
        port: u16,
    ) -> Result<String> {
        if let Some(url) = &args.evm_rpc {
            return Ok(url.clone());
        }

        let options = AnvilOptions {
            dir: layout.dir.join("anvil"),
            port,
            chain_id: LOCAL_CHAIN_ID,
            block_time: Some(Duration::from_millis(args.anvil_block_ms)),
            slots_in_an_epoch: ANVIL_SLOTS_IN_AN_EPOCH,
            programs: tool_folders(),
        };

        let anvil = Anvil::start(&options).await?;
        let url = anvil.url();
        self.anvil = Some((anvil, options));
        Ok(url)
    }

    /// The Kubo node to use: a given one, or our own; none where the built-in block store keeps recordings.
    pub async fn start_ipfs(
        &mut self,
        args: &ExternalArgs,
        layout: &Layout,
        port: u16,
        with_video: bool,
    ) -> Result<Option<String>> {
        let options = KuboOptions {
            dir: layout.dir.join("kubo"),
            port,
            programs: kubo_folders(),
        };
        match args.ipfs.as_deref() {
            Some(OWN) => {}
            // Only recordings need it.
            None if with_video && options.program().is_some() => {}
            None | Some(BUILT_IN) => return Ok(None),
            Some(url) => return Ok(Some(url.to_owned())),
        }
        options
            .program()
            .context("--ipfs own: the program ipfs is not here; scripts/test builds it with Go")?;
        let kubo = Kubo::start(&options).await?;
        let url = kubo.url();
        self.kubo = Some((kubo, options));
        Ok(Some(url))
    }

    /// Starts again what has ended by itself, for ever; what does not start is tried again.
    pub async fn keep_running(&mut self, supervisor: &Supervisor) -> Infallible {
        loop {
            tokio::time::sleep(REVIVE_INTERVAL).await;
            if let Err(error) = self.revive(supervisor).await {
                tracing::error!(error = format!("{error:#}"), "trying again");
            }
        }
    }

    async fn revive(&mut self, supervisor: &Supervisor) -> Result<()> {
        if let Some((postgres, dir)) = &mut self.postgres
            && postgres.has_ended()
        {
            *postgres = Postgres::start(dir)
                .await
                .context("start PostgreSQL again")?;
            supervisor.note_pid("postgres", postgres.pid().unwrap_or(0));
        }

        if let Some((anvil, options)) = &mut self.anvil
            && anvil.has_ended()
        {
            *anvil = Anvil::start(options).await.context("start anvil again")?;
            supervisor.note_pid("anvil", anvil.pid().unwrap_or(0));
        }

        if let Some((kubo, options)) = &mut self.kubo
            && kubo.has_ended()
        {
            *kubo = Kubo::start(options).await.context("start Kubo again")?;
            supervisor.note_pid("kubo", kubo.pid().unwrap_or(0));
        }

        Ok(())
    }

    /// Stops what was started.
    pub async fn stop(self) -> Result<()> {
        if let Some((kubo, _)) = self.kubo {
            kubo.stop().await?;
        }
        if let Some((anvil, _)) = self.anvil {
            anvil.stop().await?;
        }
        if let Some((postgres, _)) = self.postgres {
            postgres.stop().await?;
        }
        Ok(())
    }

    /// anvil's entry in `network.json`.
    pub fn anvil_entry(&self) -> Option<Entry> {
        let (anvil, options) = self.anvil.as_ref()?;
        Some(Entry {
            pid: anvil.pid().unwrap_or(0),
            ..service_entry(options.port)
        })
    }

    /// Our own Kubo's entry in `network.json`.
    pub fn kubo_entry(&self) -> Option<Entry> {
        let (kubo, options) = self.kubo.as_ref()?;
        Some(Entry {
            pid: kubo.pid().unwrap_or(0),
            ..service_entry(options.port)
        })
    }

    /// PostgreSQL's entry in `network.json`.
    pub fn postgres_entry(&self) -> Option<Entry> {
        let (postgres, _) = self.postgres.as_ref()?;
        Some(Entry {
            pid: postgres.pid().unwrap_or(0),
            ..Entry::default()
        })
    }
}

async fn create_database(url: &str) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut connection)
            .await?;
    if !exists {
        sqlx::query("CREATE DATABASE hotpot")
            .execute(&mut connection)
            .await?;
    }
    Ok(())
}

/// Where `setup_kubo` of scripts/lib puts Kubo.
fn kubo_folders() -> Vec<PathBuf> {
    let home = service_kit::config::environment_variable("HOME");
    home.map(|home| Path::new(&home).join(".cache/hotpot/bin"))
        .into_iter()
        .collect()
}

/// Where npm puts Foundry's programs: beside the contracts, looked for from here and from the program upwards.
pub fn tool_folders() -> Vec<PathBuf> {
    let here = std::env::current_dir().unwrap_or_default();
    let program = std::env::current_exe().unwrap_or_default();
    let roots = here.ancestors().chain(program.ancestors());
    roots
        .map(|root| root.join("contracts/node_modules/.bin"))
        .filter(|folder| folder.is_dir())
        .collect()
}
