//! The ports of a network on this machine.

use anyhow::{Context, Result};
use clap::Args;
use std::net::SocketAddr;

/// Which ports.
#[derive(Clone, Debug, Args)]
pub struct PortArgs {
    /// Where the gateway serves the web page and the public API (default 127.0.0.1:8080, or a free port with
    /// --free-ports). Only an address that you name here is reachable from other machines.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub http: Option<SocketAddr>,
    /// Validator i serves HTTP on this port + i.
    #[arg(long, default_value_t = 7000)]
    pub node_port: u16,
    /// Validator i speaks to the others on this port + i.
    #[arg(long, default_value_t = 7100)]
    pub p2p_port: u16,
    /// Health and metrics of the relayer.
    #[arg(long, default_value_t = 7200)]
    pub relayer_port: u16,
    /// Health and metrics of the indexer.
    #[arg(long, default_value_t = 7400)]
    pub indexer_port: u16,
    /// anvil's JSON-RPC.
    #[arg(long, default_value_t = 8545)]
    pub anvil_port: u16,
    /// Kubo's RPC.
    #[arg(long, default_value_t = 7500)]
    pub kubo_port: u16,
    /// Preview, health and metrics of the video agent.
    #[arg(long, default_value_t = 7600)]
    pub video_port: u16,
    /// The RTSP server that plays the film of --with-video.
    #[arg(long, default_value_t = 7650)]
    pub camera_port: u16,
    /// Take free ports instead; they are in network.json.
    #[arg(long)]
    pub free_ports: bool,
}

/// The ports of this run.
#[derive(Clone, Debug)]
pub struct Ports {
    /// HTTP of each validator that there may be.
    pub nodes: Vec<u16>,
    /// libp2p of each.
    pub p2p: Vec<u16>,
    /// The relayer's HTTP.
    pub relayer: u16,
    /// The indexer's HTTP.
    pub indexer: u16,
    /// JSON-RPC of anvil.
    pub anvil: u16,
    /// RPC of Kubo.
    pub kubo: u16,
    /// The video agent.
    pub video: u16,
    /// The RTSP server that plays a film.
    pub cameras: u16,
    /// Where the gateway listens; on loopback unless told otherwise.
    pub gateway: SocketAddr,
}

/// Where the gateway listens unless told otherwise.
const GATEWAY_PORT: u16 = 8080;

fn loopback_address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// The most validators of a local network.
const VALIDATORS_MAX: u16 = 16;

impl Ports {
    /// Those that were asked for, or free ones.
    pub fn choose(args: &PortArgs) -> Result<Self> {
        if !args.free_ports {
            return Ok(Self {
                nodes: port_range(args.node_port, "--node-port")?,
                p2p: port_range(args.p2p_port, "--p2p-port")?,
                relayer: args.relayer_port,
                indexer: args.indexer_port,
                anvil: args.anvil_port,
                kubo: args.kubo_port,
                video: args.video_port,
                cameras: args.camera_port,
                gateway: args.http.unwrap_or(loopback_address(GATEWAY_PORT)),
            });
        }

        let count = usize::from(VALIDATORS_MAX);
        let free = (0..2 * count + 7)
            .map(|_| local_services::free_port())
            .collect::<std::io::Result<Vec<u16>>>()?;

        Ok(Self {
            nodes: free[..count].to_vec(),
            p2p: free[count..2 * count].to_vec(),
            relayer: free[2 * count],
            indexer: free[2 * count + 1],
            anvil: free[2 * count + 2],
            kubo: free[2 * count + 4],
            video: free[2 * count + 5],
            cameras: free[2 * count + 6],
            gateway: args.http.unwrap_or(loopback_address(free[2 * count + 3])),
        })
    }
}

impl Ports {
    /// A port that somebody else has would only show as a service that starts again and again.
    pub fn check_free(&self, validators: usize, with_video: bool) -> Result<()> {
        let ours = self.nodes[..validators]
            .iter()
            .chain(&self.p2p[..validators])
            .chain([&self.relayer, &self.indexer]);
        let video = [&self.video, &self.cameras]
            .into_iter()
            .filter(|_| with_video);

        for address in ours
            .chain(video)
            .map(|port| loopback_address(*port))
            .chain([self.gateway])
        {
            let port = address.port();
            std::net::TcpListener::bind(address).with_context(|| {
                format!("port {port} is taken: stop who has it, or use --free-ports")
            })?;
        }

        Ok(())
    }
}

fn port_range(first: u16, flag: &str) -> Result<Vec<u16>> {
    let last = first.checked_add(VALIDATORS_MAX - 1);
    let last = last.with_context(|| {
        format!(
            "{flag}: at most {}, found {first}",
            u16::MAX - VALIDATORS_MAX + 1
        )
    })?;
    Ok((first..=last).collect())
}
