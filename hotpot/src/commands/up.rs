//! `hotpot up`: the whole system on one machine. Starts what it owns, supervises it, watches until it is settled.

mod display;

use crate::commands::migrate::migrate_up;
use crate::import::command::parse_rate;
use crate::import::local::Target;
use crate::import::run::Report;
use anyhow::{Context, Result, bail};
use clap::Args;
use display::Display;
use domain::OutletId;
use import::{Map, Progress};
use local_network::books::Books;
use local_network::evm::Evm;
use local_network::external::{External, ExternalArgs};
use local_network::genesis::{self, NewNetworkArgs};
use local_network::services::{self, NodeArgs};
use local_network::supervisor::Supervisor;
use local_network::video::{self, Video};
use local_network::{
    Keys, Layout, NetworkFile, PortArgs, Ports, Registrations, candidates, contracts,
    refuse_public_chain,
};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Arguments of `hotpot up`.
#[derive(Clone, Debug, Args)]
pub struct UpArgs {
    /// Holds everything of this network; a second `up` on it continues.
    #[arg(long, default_value = ".hotpot")]
    pub data_dir: PathBuf,
    /// What a new network is like.
    #[command(flatten)]
    pub network: NewNetworkArgs,
    /// Register so many validators for election, each with an outlet of its own in another city.
    /// The first of them are the --validators of genesis.
    #[arg(long, value_parser = clap::value_parser!(u32).range(4..=16), requires = "election_epochs")]
    pub candidates: Option<u32>,
    /// What validators keep.
    #[command(flatten)]
    pub node: NodeArgs,
    /// Run a video agent at one outlet, with a kitchen and a table camera that play this film again and again, or a
    /// test picture. The owner's legal basis and a guest's consent are recorded with keys of this folder.
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub with_video: Option<Option<PathBuf>>,
    /// What is used rather than started.
    #[command(flatten)]
    pub external: ExternalArgs,
    /// An order file to import once the network runs; each needs its --map. Repeatable.
    #[arg(long, value_name = "FILE")]
    pub sales: Vec<PathBuf>,
    /// The map of the order file at the same place.
    #[arg(long, value_name = "FILE")]
    pub map: Vec<PathBuf>,
    /// Import at most this many sales a second, such as 20/s.
    #[arg(long, value_name = "N/s", value_parser = parse_rate)]
    pub rate: Option<u32>,
    /// Stop once every sale is final, minted and indexed; check that all books agree; exit 0 if they do, else 1.
    #[arg(long)]
    pub exit_when_settled: bool,
    /// One JSON object a line on standard output; the last is the summary.
    #[arg(long)]
    pub json: bool,
    /// The first ports of the services; each takes one or more from there on.
    #[command(flatten)]
    pub ports: PortArgs,
}

/// How often the books are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Runs the network until Ctrl-C, or until it is settled.
pub async fn run(args: UpArgs, stop: CancellationToken) -> Result<ExitCode> {
    if args.sales.len() != args.map.len() {
        bail!(
            "each --sales needs its --map: found {} and {}",
            args.sales.len(),
            args.map.len()
        );
    }
    let maps = args
        .map
        .iter()
        .map(|map| Ok(Map::read(map)?))
        .collect::<Result<Vec<Map>>>()?;
    if let Some(film) = &args.with_video {
        // Before anything is registered that would stay.
        video::agent_program()?;
        video::check_film(film.as_deref())?;
    }
    let layout = Layout::open(&args.data_dir)?;
    let supervisor = Supervisor::new(stop.clone());
    let started = Instant::now();
    let mut external = External::default();
    let outcome = tokio::select! {
        outcome = run_network(&args, maps, &layout, &supervisor, &mut external, started) => outcome,
        // Stopped before it was settled: whoever waits for that must not take it for a yes.
        () = stop.cancelled() => Ok(if args.exit_when_settled { ExitCode::from(130) } else { ExitCode::SUCCESS }),
    };
    if !args.json {
        eprintln!("stopping …");
    }
    supervisor.stop().await;
    external.stop().await?;
    outcome
}

async fn run_network(
    args: &UpArgs,
    maps: Vec<Map>,
    layout: &Layout,
    supervisor: &Supervisor,
    external: &mut External,
    started: Instant,
) -> Result<ExitCode> {
    let display = Display::new(args.json);
    if args.ports.http.is_some_and(|address| address.port() == 0) {
        bail!(
            "--http needs a port: found 0; leave it out with --free-ports and a free one is taken"
        );
    }
    let ports = Ports::choose(&args.ports)?;
    let keys = Arc::new(Keys::open_or_create(&layout.dir)?);

    display.say("starting PostgreSQL, the EVM node, and Kubo if it is here");
    let database_url = external.start_database(&args.external, layout).await?;
    migrate_up(&database_url).await?;
    let evm_url = external
        .start_evm(&args.external, layout, ports.anvil)
        .await?;
    let ipfs = external
        .start_ipfs(
            &args.external,
            layout,
            ports.kubo,
            args.with_video.is_some(),
        )
        .await?;
    let evm = Evm::connect(&evm_url, &keys.founder()?).await?;
    refuse_public_chain(evm.chain_id)?;

    let genesis = genesis::open_or_create(layout, &keys, &args.network, evm.chain_id)?;
    let count = keys
        .validators()?
        .max(genesis.validators.as_slice().len())
        .max(args.candidates.unwrap_or(0) as usize);
    ports.check_free(count, args.with_video.is_some())?;
    display.say(&format!("starting {count} validators"));
    let nodes = services::start_nodes(supervisor, layout, &keys, count, &ports, &args.node)?;
    services::wait_until_ready(&nodes, genesis.sidechain_id()).await?;

    let relayer = domain::crypto::address_of_secret(&keys.get("relayer")?);
    evm.fund_local(&[relayer]).await?;
    let contracts = contracts::deploy_or_find(layout, &keys, &genesis, &nodes, &evm, &|what| {
        display.say(what)
    })
    .await?;
    let chains = services::Chains {
        nodes: &nodes,
        evm_url: &evm_url,
        chain_id: evm.chain_id,
        contracts,
    };
    services::start_relayer(supervisor, layout, &keys, ports.relayer, &chains)?;
    services::start_indexer(supervisor, layout, ports.indexer, &chains)?;
    let agent = args
        .with_video
        .as_ref()
        .map(|_| services::VideoAgent::local(video_outlet(&maps), ports.video));
    services::start_gateway(supervisor, layout, ports.gateway, &nodes, agent.as_slice())?;
    let target = Target {
        data_dir: layout.dir.clone(),
        nodes: nodes.clone(),
        genesis,
        keys: Arc::clone(&keys),
        rate: args.rate,
    };
    let video = match &args.with_video {
        None => None,
        Some(film) => {
            display.say("starting the video agent");
            if let Some(map) = maps.first().filter(|map| !map.outlets.is_empty()) {
                target.ensure_outlets(map).await?;
            }
            let video = Video {
                layout,
                ports: &ports,
                registrations: registrations(&target),
                film: film.as_deref(),
                ipfs: ipfs.as_deref(),
            };
            Some(video.start(supervisor, video_outlet(&maps)).await?)
        }
    };
    let (video_agent, cameras) =
        video.map_or((None, None), |video| (Some(video.agent), video.cameras));
    supervisor.write_network(NetworkFile {
        sidechain_id: target.genesis.sidechain_id(),
        evm_chain_id: evm.chain_id,
        evm_rpc: evm_url,
        contracts,
        nodes: services::node_entries(&ports, count),
        relayer: services::service_entry(ports.relayer),
        indexer: services::service_entry(ports.indexer),
        gateway: services::gateway_entry(ports.gateway),
        video_agent,
        cameras,
        anvil: external.anvil_entry(),
        ipfs,
        kubo: external.kubo_entry(),
        postgres: external.postgres_entry(),
        database_url_file: layout.database_url_file(),
    })?;

    display.say(&format!(
        "open {} in a browser",
        services::gateway_entry(ports.gateway).http
    ));
    let progress = Arc::new(Progress::default());
    if args.with_video.is_some() {
        let (gateway, outlet) = (
            services::gateway_entry(ports.gateway).http,
            video_outlet(&maps),
        );
        display.say(&format!(
            "cameras and recordings: {gateway}/video.html#/outlet/{outlet}"
        ));
    }
    if let Some(candidates) = args.candidates {
        display.say(&format!("registering {candidates} candidates"));
        candidates::register(registrations(&target), candidates as usize).await?;
    }
    let imports = tokio::spawn(import_all(
        target,
        args.sales.clone(),
        maps,
        Arc::clone(&progress),
    ));
    let books = Books::open(nodes, evm, contracts, &database_url).await?;
    tokio::select! {
        outcome = watch_progress(args, &display, books, imports, &progress, started) => outcome,
        never = external.keep_running(supervisor) => match never {},
    }
}

async fn import_all(
    target: Target,
    files: Vec<PathBuf>,
    maps: Vec<Map>,
    progress: Arc<Progress>,
) -> Result<Vec<Report>> {
    let mut reports = Vec::new();
    for (file, map) in files.iter().zip(&maps) {
        let report = target.import_file(file, map, &progress).await;
        reports.push(report.with_context(|| format!("import {}", file.display()))?);
    }
    Ok(reports)
}

/// Shows how far everything is; ends when it is settled, if asked to.
async fn watch_progress(
    args: &UpArgs,
    display: &Display,
    books: Books,
    mut imports: JoinHandle<Result<Vec<Report>>>,
    progress: &Progress,
    started: Instant,
) -> Result<ExitCode> {
    let mut reports = None;
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        if reports.is_none() && imports.is_finished() {
            reports = Some((&mut imports).await.context("the import died")??);
        }

        let look = books.look().await;
        display.show(&look, progress, started.elapsed());

        let settled = reports.is_some() && look.is_settled();
        if let (true, true, Some(reports)) = (args.exit_when_settled, settled, &reports) {
            let summary = books.check(started.elapsed()).await?;
            display.summary(&summary, reports)?;
            return Ok(if summary.ok {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
    }
}

fn registrations(target: &Target) -> Registrations<'_> {
    Registrations {
        nodes: &target.nodes,
        genesis: &target.genesis,
        keys: &target.keys,
    }
}

/// The video agent's outlet: the first one of the first map, or one of its own.
fn video_outlet(maps: &[Map]) -> OutletId {
    maps.first()
        .and_then(|map| map.outlets.first())
        .map_or(video::OUTLET, |outlet| outlet.id)
}
