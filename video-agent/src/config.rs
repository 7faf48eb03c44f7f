//! What an operator may set.

mod platform;
mod recording;

pub use platform::{PlatformConfig, PlatformKind};
pub use recording::{AgentConfig, IpfsConfig, PinataConfig, PinningConfig, VaultConfig};

use crate::core::consent::CameraKind;
use crate::core::frame::Size;
use crate::io::capture::Source;
use crate::io::platform::Platform;
use serde::{Deserialize, Serialize};
use service_kit::Secret;
use service_kit::doors::DoorLimits;
use service_kit::mistakes::ConfigMistakes;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The agent's configuration, by section.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The outlet whose cameras these are.
    pub outlet: u64,
    /// Size of frames, bit rate, length of segments.
    pub video: VideoConfig,
    /// Where the model that finds faces is.
    pub detector: DetectorConfig,
    /// The sidechain, which knows the consents.
    pub node: NodeConfig,
    /// Who signs for what is recorded.
    pub agent: AgentConfig,
    /// Where recordings are encrypted and wait. Without it the agent streams and previews, and keeps nothing.
    pub vault: Option<VaultConfig>,
    /// The node and the services that keep encrypted recordings.
    pub ipfs: IpfsConfig,
    /// Holds what a restart must not forget: kill switches that are off. Needed with a public stream.
    pub state_dir: Option<PathBuf>,
    /// Preview, health, metrics.
    pub http: HttpConfig,
    /// One `[[cameras]]` for each; numbers must differ.
    pub cameras: Vec<CameraConfig>,
}

/// The ledger takes ten minutes; a segment ends with its group of pictures, about a second later than it may.
const SEGMENT_MS_MAX: u64 = 590_000;

/// Section `[video]`: what is recorded, the same for all cameras.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VideoConfig {
    /// Width of what is recorded, in pixels; a multiple of 8. Default 1280.
    pub width: u16,
    /// Height; a multiple of 4. Default 720.
    pub height: u16,
    /// What the encoder may use, for recording, preview and stream together. Default 1500.
    pub bitrate_kbps: u32,
    /// Milliseconds of a segment; it ends with the group of pictures that reaches them. Default 60000: each
    /// is a transaction, and a crash loses the one that is not complete.
    pub segment_ms: u64,
}

impl Default for VideoConfig {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 720,
            bitrate_kbps: 1_500,
            segment_ms: 60_000,
        }
    }
}

/// Section `[detector]`: what looks for faces.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DetectorConfig {
    /// `centerface.onnx`; its checksum is fixed in the code. Without it faces are not looked for: kitchen and security
    /// cameras hide whatever has moved, table cameras show nothing. A file that is named and unusable: all frames solid.
    pub model_file: Option<PathBuf>,
}

/// Section `[node]`: whom the agent asks for consent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeConfig {
    /// Nodes of the sidechain; the first that is ready and answers says whether a camera may record. Default
    /// `["http://127.0.0.1:7000"]`.
    pub urls: Vec<String>,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            urls: vec!["http://127.0.0.1:7000".into()],
        }
    }
}

/// Section `[http]`: the listener for the gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Where everything but perhaps the metrics is served. Default 127.0.0.1:7600; port 0 takes a free one. It has no authentication: never
    /// open it to more than the gateway.
    pub listen: SocketAddr,
    /// Where `/metrics` is served instead of there. Without it, it is shown at `listen` if that is on loopback, and else
    /// nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// What strangers may take.
    pub limits: DoorLimits,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7600)),
            metrics_listen: None,
            limits: DoorLimits::default(),
        }
    }
}

/// An entry of `[[cameras]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraConfig {
    /// Its number in the outlet, as consents name it.
    pub camera: u64,
    /// `customer` (a table), `chef` or `kitchen` (the same), or `security`.
    pub kind: CameraKind,
    /// `rtsp://…`; may hold a password, so it does not print. One of `rtsp`, `rtsp_file`, `file` and `test` is needed.
    #[serde(default)]
    pub rtsp: Secret,
    /// A file whose content is that address.
    #[serde(default)]
    pub rtsp_file: Option<PathBuf>,
    /// A film in place of a camera, shown again and again at its own speed.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// A test picture of GStreamer's `videotestsrc`, such as `ball`.
    #[serde(default)]
    pub test: Option<String>,
    /// Where the public stream goes, such as `rtmps://…/app`. Needs a consent to `stream`.
    #[serde(default)]
    pub push_url: Option<String>,
    /// A file with the stream's key, which the platform appends to its URL with a slash.
    #[serde(default)]
    pub push_key_file: Option<PathBuf>,
    /// Its title, beginning, end and viewers, where the platform is to know of them.
    #[serde(default)]
    pub platform: Option<PlatformConfig>,
}

/// Test pictures by name; anything else would be an unchecked text to GStreamer.
const TEST_PICTURES: [&str; 6] = ["ball", "smpte", "snow", "black", "white", "pinwheel"];

impl Config {
    /// Checks everything that can be checked without asking anybody.
    pub fn check(&self) -> Result<(), ConfigMistakes> {
        let bad_url = |url: &String| !url.starts_with("http://") && !url.starts_with("https://");
        let (width, height) = (self.video.width, self.video.height);

        let rules = [
            (self.outlet == 0, "outlet: is missing"),
            (
                width % 8 != 0 || !(320..=3840).contains(&width),
                "video.width: must be a multiple of 8 from 320 to 3840",
            ),
            (
                height % 4 != 0 || !(180..=2160).contains(&height),
                "video.height: must be a multiple of 4 from 180 to 2160",
            ),
            (
                !(100..=50_000).contains(&self.video.bitrate_kbps),
                "video.bitrate_kbps: must be from 100 to 50000",
            ),
            (
                !(1_000..=SEGMENT_MS_MAX).contains(&self.video.segment_ms),
                "video.segment_ms: must be from 1000 to 590000",
            ),
            (
                self.node.urls.is_empty(),
                "node.urls: at least one node is required",
            ),
            (
                self.node.urls.iter().any(bad_url),
                "node.urls: each must begin with http:// or https://",
            ),
            (self.cameras.is_empty(), "cameras: at least one is required"),
            (
                self.state_dir.is_none()
                    && self.cameras.iter().any(|camera| camera.push_url.is_some()),
                "state_dir: is missing, a public stream's kill switch is remembered there",
            ),
        ];

        let mut mistakes: Vec<String> = rules
            .into_iter()
            .chain(self.http.limits.mistakes())
            .filter(|(wrong, _)| *wrong)
            .map(|(_, text)| text.to_owned())
            .collect();

        let mut numbers = BTreeSet::new();
        for (place, camera) in self.cameras.iter().enumerate() {
            mistakes.extend(
                camera
                    .mistakes()
                    .into_iter()
                    .map(|text| format!("cameras[{place}].{text}")),
            );

            if !numbers.insert(camera.camera) {
                mistakes.push(format!(
                    "cameras[{place}].camera: {} is there twice",
                    camera.camera
                ));
            }
        }
        mistakes.extend(recording::mistakes(self));

        if mistakes.is_empty() {
            Ok(())
        } else {
            Err(ConfigMistakes { mistakes })
        }
    }

    pub(crate) fn size(&self) -> Size {
        Size {
            width: self.video.width.into(),
            height: self.video.height.into(),
        }
    }
}

impl CameraConfig {
    fn mistakes(&self) -> Vec<&'static str> {
        let sources = [
            !self.rtsp.expose().is_empty(),
            self.rtsp_file.is_some(),
            self.file.is_some(),
            self.test.is_some(),
        ];
        let bad_rtsp = !self.rtsp.expose().is_empty() && !is_rtsp(self.rtsp.expose());
        let bad_test = self
            .test
            .as_ref()
            .is_some_and(|name| !TEST_PICTURES.contains(&name.as_str()));
        let bad_push = self
            .push_url
            .as_ref()
            .is_some_and(|url| !url.starts_with("rtmp://") && !url.starts_with("rtmps://"));

        let rules = [
            (
                sources.iter().filter(|given| **given).count() != 1,
                "rtsp, rtsp_file, file, test: give exactly one",
            ),
            (bad_rtsp, "rtsp: must begin with rtsp:// or rtsps://"),
            (
                bad_test,
                "test: must be ball, smpte, snow, black, white or pinwheel",
            ),
            (bad_push, "push_url: must begin with rtmp:// or rtmps://"),
            (
                self.push_url.is_some() != self.push_key_file.is_some(),
                "push_url, push_key_file: give both or none",
            ),
            (
                self.platform.is_some() && self.push_url.is_none(),
                "platform: is of no use without push_url",
            ),
        ];

        let found = rules
            .into_iter()
            .filter_map(|(wrong, what)| wrong.then_some(what));
        found
            .chain(self.platform.iter().flat_map(PlatformConfig::mistakes))
            .collect()
    }

    /// Reads what stands in a file of its own.
    pub(crate) fn source(&self) -> anyhow::Result<Source> {
        if let Some(file) = &self.rtsp_file {
            let url = read_secret(file)?;
            anyhow::ensure!(
                is_rtsp(url.expose()),
                "{}: must begin with rtsp:// or rtsps://",
                file.display()
            );
            return Ok(Source::Rtsp(url));
        }

        Ok(match (&self.file, &self.test) {
            (Some(path), _) => Source::File {
                path: path.clone(),
                paced: true,
            },
            (_, Some(pattern)) => Source::Test(pattern.clone()),
            _ => Source::Rtsp(self.rtsp.clone()),
        })
    }

    /// The account at the platform of the public stream.
    pub(crate) fn platform(&self) -> anyhow::Result<Option<Platform>> {
        let (Some(platform), Some(file)) = (&self.platform, &self.push_key_file) else {
            return Ok(None);
        };
        platform.open(read_secret(file)?).map(Some)
    }

    /// URL and key of the public stream.
    pub(crate) fn push_location(&self) -> anyhow::Result<Option<Secret>> {
        let (Some(url), Some(file)) = (&self.push_url, &self.push_key_file) else {
            return Ok(None);
        };
        let key = read_secret(file)?;
        Ok(Some(Secret::new(format!(
            "{}/{}",
            url.trim_end_matches('/'),
            key.expose()
        ))))
    }
}

fn is_rtsp(url: &str) -> bool {
    url.starts_with("rtsp://") || url.starts_with("rtsps://")
}

/// What stands in a file, without the line's end.
pub(crate) fn read_secret(file: &Path) -> anyhow::Result<Secret> {
    use anyhow::Context;
    let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    Ok(Secret::new(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(text: &str) -> CameraConfig {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let mut config = Config::default();
        config.video.width = 641;
        config.cameras = vec![
            camera(r#"{"camera": 1, "kind": "kitchen"}"#),
            camera(
                r#"{"camera": 1, "kind": "customer", "test": "ball ! filesink", "push_url": "http://x"}"#,
            ),
        ];
        let mistakes = config.check().unwrap_err().mistakes;
        assert_eq!(mistakes.len(), 8, "{mistakes:#?}");
    }

    #[test]
    fn a_camera_with_one_source_is_right() {
        let cameras = vec![camera(
            r#"{"camera": 1, "kind": "security", "rtsp": "rtsp://user:secret@10.0.0.7/1"}"#,
        )];
        let config = Config {
            outlet: 1,
            cameras,
            ..Config::default()
        };
        config.check().unwrap();
        assert!(
            !format!("{config:?}").contains("secret@"),
            "an address may hold a password"
        );
    }
}
