//! Anonymises a film as fast as it goes, with the very steps of a live session, and writes down what was hidden: for
//! measurements (`scripts/bench video`) and for an operator who wants to see the policy on a film of his own.

use super::anonymise::Anonymiser;
use super::look::Looker;
use super::output::Output;
use crate::core::alerts::Watch;
use crate::core::consent::{Grant, Permission};
use crate::core::frame::Size;
use crate::core::gate::Verdict;
use crate::core::lookback::{Released, Tally};
use crate::core::policy::Policy;
use crate::error::Error;
use crate::io::capture::{Capture, Source, Taken};
use crate::io::preview::Preview;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a film may take for its next frame.
const FRAME: Duration = Duration::from_secs(20);

/// Options of `video-agent measure`.
#[derive(Clone, Debug, clap::Args)]
pub struct MeasureArgs {
    /// The film to anonymise, in any format that GStreamer decodes.
    #[arg(long)]
    pub film: PathBuf,
    /// Times that it is shown, one after the other.
    #[arg(long, default_value_t = 1)]
    pub times: u32,
    /// The detector's model; without it only what moves is hidden.
    #[arg(long)]
    pub model_file: Option<PathBuf>,
    /// Where the masks go: for each frame a byte (1 masked, 0 solid), then a byte for each cell of 4 by 4 pixels.
    #[arg(long)]
    pub masks: Option<PathBuf>,
    /// Where the anonymised film goes.
    #[arg(long)]
    pub out: PathBuf,
    /// Width of the frames.
    #[arg(long, default_value_t = 1280)]
    pub width: u16,
    /// Height of the frames.
    #[arg(long, default_value_t = 720)]
    pub height: u16,
}

struct Writer {
    file: BufWriter<File>,
    path: PathBuf,
}

impl Writer {
    fn create(path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        match File::create(&path) {
            Ok(file) => Ok(Self {
                file: BufWriter::new(file),
                path,
            }),
            Err(source) => Err(Error::Write { file: path, source }),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|source| Error::Write {
            file: self.path.clone(),
            source,
        })
    }

    fn end(mut self) -> Result<(), Error> {
        self.file.flush().map_err(|source| Error::Write {
            file: self.path.clone(),
            source,
        })
    }
}

/// Runs, and says how many frames were masked and how many were solid, and why.
pub(crate) fn run(args: &MeasureArgs, mut looker: Option<Looker>) -> Result<Tally, Error> {
    let size = Size {
        width: args.width.into(),
        height: args.height.into(),
    };
    let policy = if looker.is_some() {
        Policy::FacesAndSilhouettes
    } else {
        Policy::Silhouettes
    };
    let source = Source::File {
        path: args.film.clone(),
        paced: false,
    };
    let preview = Preview::default();
    let mut capture = Capture::open(&source, size)?;
    let mut anonymiser = Anonymiser::new(policy, size, looker.as_mut(), true)?;
    let mut results = Results {
        masks: args.masks.as_deref().map(Writer::create).transpose()?,
        film: Writer::create(&args.out)?,
        // One segment, however long: the film.
        output: Output::open(size, 1_500, u64::MAX, &preview, None)?,
        tally: Tally::default(),
        size,
    };
    let (mut watch, mut shown) = (Watch::default(), 1);
    loop {
        match capture.take(FRAME)? {
            Taken::Frame(frame) => {
                if let Some(released) = anonymiser.frame(frame, &mut watch) {
                    results.take(released)?;
                }
            }
            Taken::End if shown < args.times => {
                shown += 1;
                capture.again(&source)?;
            }
            Taken::End => break,
            Taken::Nothing => return Err(Error::Stalled(FRAME)),
        }
    }
    while let Some(released) = anonymiser.rest() {
        results.take(released)?;
    }
    results.end()
}

struct Results<'a> {
    masks: Option<Writer>,
    film: Writer,
    output: Output<'a>,
    tally: Tally,
    size: Size,
}

impl Results<'_> {
    fn take(&mut self, released: Released) -> Result<(), Error> {
        self.tally.count(&released.verdict);

        if let Some(masks) = &mut self.masks {
            match &released.verdict {
                Verdict::Masked(mask) => {
                    masks.write(&[1])?;
                    masks.write(mask.cells())?;
                }
                Verdict::Solid(_) => {
                    masks.write(&[0])?;
                    let cells = crate::core::mask::Mask::empty(self.size.width, self.size.height)
                        .cells()
                        .len();
                    masks.write(&vec![1; cells])?;
                }
            }
        }

        let grant = Grant {
            consent: [0; 32],
            until_ms: u64::MAX,
            retention_days: None,
        };
        let permission = Permission {
            recording: Some(grant),
            stream: None,
        };

        self.output
            .push(released.shown, permission, false)
            .map(|_| ())
    }

    fn end(mut self) -> Result<Tally, Error> {
        for (recorded, _) in self.output.finish()? {
            self.film.write(&recorded.bytes)?;
        }
        self.film.end()?;
        self.masks.map_or(Ok(()), Writer::end)?;
        Ok(self.tally)
    }
}
