//! One camera while something permits it: frames in, segments out, in a thread of its own.

use super::anonymise::Anonymiser;
use super::output::{Kept, Output};
use crate::camera::Camera;
use crate::core::alerts::Alert;
use crate::core::consent::Permission;
use crate::core::gate::{Reason, Verdict};
use crate::error::Error;
use crate::io::capture::{Capture, Source, Taken};
use crate::metrics;
use service_kit::clock;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How long a camera may take to begin, and then to send the next frame.
const FIRST_FRAME: Duration = Duration::from_secs(8);
const NEXT_FRAME: Duration = Duration::from_secs(2);
/// How long one wait for a frame is; between two, the end is looked for.
const WAIT: Duration = Duration::from_millis(100);
/// Frames in a row that are solid for the detector's sake before it is an alert: a second.
const LATE_FRAMES: u32 = 12;

/// What a session is told, and whom it tells.
pub(crate) struct Wires {
    pub permission: watch::Receiver<Permission>,
    pub ending: CancellationToken,
    pub kept: mpsc::Sender<Kept>,
}

/// Runs until it is told to end, nothing is permitted any more, or the camera fails. The raw frames that are held back
/// then are dropped unseen.
pub(crate) fn run(camera: &Camera, wires: &Wires) -> Result<(), Error> {
    let setup = &camera.setup;
    let mut looker = camera.looker();
    let mut watch = camera.watch();
    watch.restart();
    let mut capture = Capture::open(&camera.source, setup.size)?;
    let mut anonymiser = Anonymiser::new(setup.policy, setup.size, looker.as_mut(), false)?;
    let mut output = Output::open(
        setup.size,
        setup.bitrate_kbps,
        setup.segment_ms,
        &camera.preview,
        camera.push_to.as_ref(),
    )?;
    let (mut last, mut patience, mut late) = (Instant::now(), FIRST_FRAME, 0);
    let result = loop {
        let permission = wires.permission.borrow().at(clock::now_ms());
        if wires.ending.is_cancelled() || !permission.is_any() {
            break Ok(());
        }
        let frame = match capture.take(WAIT) {
            Ok(Taken::Frame(frame)) => frame,
            Ok(Taken::End) if matches!(camera.source, Source::File { .. }) => {
                match capture.again(&camera.source) {
                    Ok(()) => continue,
                    Err(error) => break Err(error),
                }
            }
            Ok(Taken::End) => break Err(Error::Stalled(last.elapsed())),
            Ok(Taken::Nothing) if last.elapsed() < patience => continue,
            Ok(Taken::Nothing) => break Err(Error::Stalled(patience)),
            Err(error) => break Err(error),
        };
        (last, patience) = (Instant::now(), NEXT_FRAME);
        if camera.takes_new_view() {
            watch.forget();
        }
        let released = anonymiser.frame(frame, &mut watch);
        metrics::anonymised(camera.asked.camera, last.elapsed());
        let Some(released) = released else { continue };
        metrics::frame(camera.asked.camera, &released.verdict);
        late = if is_late(&released.verdict) {
            late + 1
        } else {
            0
        };
        let mut alerts = watch.alerts();
        alerts.extend((late >= LATE_FRAMES).then_some(Alert::DetectorLate));
        camera.saw(alerts);
        camera.is_live(permission);
        let kept = output.push(released.shown, permission, camera.may_push());
        if let Err(error) = kept.and_then(|kept| hand_over(kept, &wires.kept)) {
            break Err(error);
        }
    };
    // The camera is let go last: closing a connection may take its time, and the segment must not wait for it.
    let finished = output
        .finish()
        .and_then(|kept| hand_over(kept, &wires.kept));
    result.and(finished)
}

fn is_late(verdict: &Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Solid(Reason::DetectorLate | Reason::DetectorBroken)
    )
}

fn hand_over(kept: Vec<Kept>, to: &mpsc::Sender<Kept>) -> Result<(), Error> {
    kept.into_iter()
        .try_for_each(|one| to.try_send(one).map_err(|_| Error::VaultBehind))
}
