//! A film that plays as an RTSP camera on loopback, again and again: for demonstrations and trials.

use anyhow::{Context, Result};
use gstreamer as gst;
use gstreamer::glib;
use gstreamer_app::{AppSink, AppSrc};
use gstreamer_rtsp_server::prelude::*;
use gstreamer_rtsp_server::{RTSPMedia, RTSPMediaFactory, RTSPServer};
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Where it can be looked at.
const MOUNTS: [&str; 2] = ["/kitchen", "/table"];
const CAPS: &str = "video/x-raw,format=I420,width=640,height=360,framerate=25/2";
/// Between two attempts to play the film.
const PAUSE: Duration = Duration::from_secs(1);

/// Serves `film` on `port` until `stop`.
pub(crate) async fn serve(film: &Path, port: u16, stop: CancellationToken) -> Result<()> {
    gst::init().context("start GStreamer")?;
    let film = film
        .canonicalize()
        .with_context(|| format!("open {}", film.display()))?;
    let uri = glib::filename_to_uri(&film, None).context("the film's path makes no URI")?;

    let server = RTSPServer::new();
    server.set_address("127.0.0.1");
    server.set_service(&port.to_string());
    let mounts = server
        .mount_points()
        .context("the RTSP server has no mount points")?;
    for mount in MOUNTS {
        mounts.add_factory(mount, media_factory(uri.as_str()));
    }

    let context = glib::MainContext::new();
    let _attached = server
        .attach(Some(&context))
        .with_context(|| format!("listen on port {port}"))?;
    tracing::info!(port = server.bound_port(), film = %film.display(), "the film plays at {}", MOUNTS.join(" and "));

    let turning = glib::MainLoop::new(Some(&context), false);
    let inside = turning.clone();
    std::thread::spawn(move || inside.run());

    stop.cancelled().await;
    turning.quit();

    Ok(())
}

/// One encoder for all who look at a mount.
fn media_factory(uri: &str) -> RTSPMediaFactory {
    let factory = RTSPMediaFactory::new();
    factory.set_launch(&format!(
        "( appsrc name=film is-live=true do-timestamp=true format=time caps=\"{CAPS}\" \
         ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=12 bitrate=1500 \
         ! rtph264pay config-interval=1 name=pay0 pt=96 )"
    ));
    factory.set_shared(true);
    let uri = uri.to_owned();
    factory.connect_media_configure(move |_, media| start_film(media, &uri));
    factory
}

fn start_film(media: &RTSPMedia, uri: &str) {
    let bin = media.element().downcast::<gst::Bin>().ok();
    let film = bin
        .and_then(|bin| bin.by_name("film"))
        .and_then(|film| film.downcast::<AppSrc>().ok());
    let Some(film) = film else {
        return tracing::error!("the camera's pipeline has no source");
    };

    let uri = uri.to_owned();
    std::thread::spawn(move || {
        while let Err(error) = play_film(&uri, &film) {
            tracing::warn!(
                error = format!("{error:#}"),
                "the film does not play; trying again"
            );
            std::thread::sleep(PAUSE);
        }
    });
}

/// Plays the film at its own speed until nobody looks any more.
fn play_film(uri: &str, to: &AppSrc) -> Result<()> {
    let pipeline = gst::parse::launch(&format!(
        "uridecodebin uri=\"{uri}\" ! videoconvert ! videoscale ! videorate ! {CAPS} ! appsink name=frames max-buffers=4"
    ))?;
    let pipeline = pipeline
        .downcast::<gst::Pipeline>()
        .ok()
        .context("no pipeline")?;
    let frames = pipeline
        .by_name("frames")
        .and_then(|frames| frames.downcast::<AppSink>().ok());
    let played = frames.context("no frames").and_then(|frames| {
        pipeline.set_state(gst::State::Playing)?;
        pass_on(&pipeline, &frames, to)
    });
    // What is let go plays no more; there is nothing to do if it does not stop.
    let _ = pipeline.set_state(gst::State::Null);
    played
}

fn pass_on(pipeline: &gst::Pipeline, frames: &AppSink, to: &AppSrc) -> Result<()> {
    let patience = gst::ClockTime::from_seconds(10);

    loop {
        match frames
            .try_pull_sample(patience)
            .and_then(|sample| sample.buffer_owned())
        {
            Some(mut frame) => {
                let times = frame.make_mut();
                times.set_pts(gst::ClockTime::NONE);
                times.set_dts(gst::ClockTime::NONE);

                if to.push_buffer(frame).is_err() {
                    return Ok(());
                }
            }
            None if frames.is_eos() => {
                let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT;
                pipeline
                    .seek_simple(flags, gst::ClockTime::ZERO)
                    .context("begin the film again")?;
            }
            None => anyhow::bail!("no frame for {patience}"),
        }
    }
}
