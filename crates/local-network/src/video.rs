//! `--with-video`: a video agent at one outlet, allowed by the owner in the kitchen and by a guest at a table.

use crate::consent::{witnessed_consent, write_salt};
use crate::keys::Keys;
use crate::layout::Layout;
use crate::network_file::Entry;
use crate::ports::Ports;
use crate::registrations::{Opening, Registrations};
use crate::services::{service_entry, write_config};
use crate::supervisor::{Service, Supervisor};
use anyhow::{Context, Result, bail};
use client::{NodeClient, next_nonce, submit_and_wait};
use domain::consent::{BasisKind, Purposes, consent_commitment};
use domain::crypto::address_of_secret;
use domain::eip712::WitnessedConsent;
use domain::transaction::RecordLegalBasis;
use domain::{B256, OutletId, OutletKind, Payload, TerminalKind, keccak256};
use serde_json::{Value, json};
use service_kit::clock::now_ms;
use std::path::{Path, PathBuf};

/// The agent's outlet when no orders name one.
pub const OUTLET: OutletId = 8_001;
const KITCHEN: u64 = 1;
const TABLE: u64 = 2;
/// What hangs beside the kitchen's camera.
const NOTICE: &str =
    "This kitchen is filmed; faces are hidden before anything is stored. Kept for 3 days.";
const RETENTION_DAYS: u32 = 3;
const BASIS_MS: u64 = 30 * 86_400_000;
const CONSENT_MS: u64 = 8 * 3_600_000;
/// Two cameras, four validators and all the rest share a machine here.
const WIDTH: u16 = 640;
const HEIGHT: u16 = 360;
const BITRATE_KBPS: u32 = 800;
/// Something to see soon.
const SEGMENT_MS: u64 = 5_000;

/// What the agent needs.
pub struct Video<'a> {
    /// The network's folder.
    pub layout: &'a Layout,
    /// The network's ports; two of them are the agent's and the cameras'.
    pub ports: &'a Ports,
    /// Its nodes, parameters and keys.
    pub registrations: Registrations<'a>,
    /// A film for the cameras.
    pub film: Option<&'a Path>,
    /// Kubo's RPC, if there is one.
    pub ipfs: Option<&'a str>,
}

/// The entries of the agent and of the cameras in `network.json`.
pub struct Entries {
    /// The video agent itself.
    pub agent: Entry,
    /// What plays the film.
    pub cameras: Option<Entry>,
}

/// The agent's program, which stands beside ours; it is built apart, since it needs GStreamer and OpenCV.
pub fn agent_program() -> Result<PathBuf> {
    let program = std::env::current_exe()
        .context("find the video agent")?
        .with_file_name("video-agent");
    if !program.is_file() {
        bail!(
            "{} is missing: scripts/demo --with-video builds it, or `cargo build --workspace` once GStreamer and \
             OpenCV are installed (setup_video in scripts/lib/common.sh)",
            program.display()
        );
    }
    Ok(program)
}

/// An error when the film cannot be opened.
pub fn check_film(film: Option<&Path>) -> Result<()> {
    if let Some(film) = film {
        std::fs::File::open(film).with_context(|| format!("open the film {}", film.display()))?;
    }
    Ok(())
}

impl Video<'_> {
    /// Registers what is missing, then starts the cameras and the agent. The outlet is registered, or it is [`OUTLET`].
    pub async fn start(&self, supervisor: &Supervisor, outlet: OutletId) -> Result<Entries> {
        let program = agent_program()?;
        let film = self.film.map(|film| {
            film.canonicalize()
                .with_context(|| format!("open {}", film.display()))
        });
        let film = film.transpose()?;

        let ledger = self.registrations;
        if outlet == OUTLET {
            ledger
                .until_it_stands(|node| self.open_outlet(node))
                .await?;
        }
        ledger
            .until_it_stands(|node| self.enrol(node, outlet))
            .await?;
        ledger
            .until_it_stands(|node| self.allow_kitchen(node, outlet))
            .await?;
        ledger
            .until_it_stands(|node| self.consent_at_table(node, outlet))
            .await?;

        let cameras = film.map(|film| self.start_cameras(supervisor, &program, &film));
        let config = write_config(
            self.layout,
            "video-agent",
            &self.config(outlet, cameras.is_some()),
        )?;
        let arguments = vec!["--config".into(), config.into()];
        supervisor.start(self.service("video-agent", &program, arguments));
        Ok(Entries {
            agent: service_entry(self.ports.video),
            cameras,
        })
    }

    fn service(&self, name: &str, program: &Path, arguments: Vec<std::ffi::OsString>) -> Service {
        let (name, log) = (name.to_owned(), self.layout.log(name));
        Service {
            name,
            program: Some(program.to_owned()),
            arguments,
            log,
        }
    }

    fn start_cameras(&self, supervisor: &Supervisor, program: &Path, film: &Path) -> Entry {
        let port = self.ports.cameras;
        let arguments = vec![
            "rtsp-camera".into(),
            film.into(),
            "--port".into(),
            port.to_string().into(),
        ];
        supervisor.start(self.service("cameras", program, arguments));

        Entry {
            http: String::new(),
            port,
            ..Entry::default()
        }
    }

    async fn open_outlet(&self, node: NodeClient) -> Result<()> {
        let found = node
            .outlets()
            .await?
            .into_iter()
            .find(|known| known.outlet == OUTLET);

        if found.is_none() {
            let currency = "GEL".parse().map_err(anyhow::Error::msg)?;
            let opening = Opening {
                outlet: OUTLET,
                kind: OutletKind::OwnerOperated,
                city: "Tbilisi".into(),
                currency,
            };
            let owner = address_of_secret(&self.registrations.keys.owner(OUTLET)?);
            self.registrations
                .register_outlet(&node, &opening, owner)
                .await?;
        }

        let till = address_of_secret(&self.registrations.keys.terminal(OUTLET)?);
        if found.is_some_and(|outlet| outlet.terminals.iter().any(|known| known.address == till)) {
            return Ok(());
        }

        self.registrations
            .register_terminal(&node, OUTLET, till, TerminalKind::Physical)
            .await
    }

    async fn enrol(&self, node: NodeClient, outlet: OutletId) -> Result<()> {
        let agent = address_of_secret(&self.registrations.keys.video_agent(outlet)?);
        let found = node
            .outlets()
            .await?
            .into_iter()
            .find(|known| known.outlet == outlet);
        if found.is_some_and(|outlet| outlet.terminals.iter().any(|known| known.address == agent)) {
            return Ok(());
        }
        self.registrations
            .register_terminal(&node, outlet, agent, TerminalKind::VideoAgent)
            .await
    }

    /// The owner's legal basis, unless one is in force.
    async fn allow_kitchen(&self, node: NodeClient, outlet: OutletId) -> Result<()> {
        if !node.consents_in_force(outlet, KITCHEN).await?.is_empty() {
            return Ok(());
        }

        let owner = self.registrations.keys.owner(outlet)?;
        let payload = Payload::RecordLegalBasis(RecordLegalBasis {
            outlet,
            camera: KITCHEN,
            kind: BasisKind::Chef,
            notice_hash: keccak256(NOTICE),
            retention_days: RETENTION_DAYS,
            until_ms: now_ms() + BASIS_MS,
            nonce: next_nonce(&node, address_of_secret(&owner)).await?,
        });

        submit_and_wait(&node, &self.registrations.domain(), payload, &owner)
            .await
            .context("record the kitchen's legal basis")
    }

    /// A guest's consent that the till has seen, unless one is in force.
    async fn consent_at_table(&self, node: NodeClient, outlet: OutletId) -> Result<()> {
        if !node.consents_in_force(outlet, TABLE).await?.is_empty() {
            return Ok(());
        }

        let (guest, till) = (
            self.registrations.keys.get("guest-0")?,
            self.registrations.keys.terminal(outlet)?,
        );
        let (salt, reference) = (
            B256::from(rand::random::<[u8; 32]>()),
            format!("guest 0 at table {TABLE}"),
        );

        let until_ms = now_ms() + CONSENT_MS;
        let wanted = WitnessedConsent {
            outlet,
            camera: TABLE,
            purposes: Purposes::Both,
            commitment: consent_commitment(salt, &reference),
            guest: address_of_secret(&guest),
            until_ms,
        };

        write_salt(
            &self
                .layout
                .dir
                .join("consents")
                .join(format!("salt-{until_ms}.json")),
            salt,
            &reference,
        )?;

        let domain = self.registrations.domain();
        let payload = Payload::RecordConsent(witnessed_consent(&wanted, &till, &domain));
        submit_and_wait(&node, &domain, payload, &guest)
            .await
            .context("record the guest's consent")
    }

    fn config(&self, outlet: OutletId, has_film: bool) -> Value {
        let dir = self.layout.dir.join("video");
        let mut config = json!({
            "outlet": outlet,
            "video": { "width": WIDTH, "height": HEIGHT, "bitrate_kbps": BITRATE_KBPS, "segment_ms": SEGMENT_MS },
            "agent": {
                "keystore_file": self.registrations.keys.file(&Keys::video_agent_name(outlet)),
                "passphrase_file": self.registrations.keys.passphrase_file(),
            },
            "vault": { "dir": dir.join("vault"), "keys_dir": dir.join("keys") },
            "ipfs": match self.ipfs {
                Some(url) => json!({ "kubo_url": url }),
                None => json!({ "block_store_dir": dir.join("blocks") }),
            },
            "node": { "urls": self.registrations.nodes.iter().map(NodeClient::base).collect::<Vec<_>>() },
            "http": { "listen": format!("127.0.0.1:{}", self.ports.video) },
            "cameras": [
                self.camera(KITCHEN, "chef", "kitchen", has_film),
                self.camera(TABLE, "customer", "table", has_film),
            ],
        });

        if let Some(model) = model_file() {
            config["detector"] = json!({ "model_file": model });
        }

        config
    }

    fn camera(&self, camera: u64, kind: &str, path: &str, has_film: bool) -> Value {
        let rtsp = format!("rtsp://127.0.0.1:{}/{path}", self.ports.cameras);
        match has_film {
            true => json!({ "camera": camera, "kind": kind, "rtsp": rtsp }),
            false => json!({ "camera": camera, "kind": kind, "test": "ball" }),
        }
    }
}

/// Where `setup_video` of scripts/lib puts the detector's model, looked for from here and from the program upwards.
fn model_file() -> Option<PathBuf> {
    let here = std::env::current_dir().unwrap_or_default();
    let program = std::env::current_exe().unwrap_or_default();
    let roots = here.ancestors().chain(program.ancestors());
    roots
        .map(|root| root.join(".tools/video/centerface.onnx"))
        .find(|file| file.is_file())
}
