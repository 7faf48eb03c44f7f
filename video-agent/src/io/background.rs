//! What moves: OpenCV's mixture of Gaussians against a background that was learned.

use super::images::{Picture, failed};
use crate::core::frame::Size;
use crate::core::mask::Mask;
use crate::core::scene::Step;
use crate::error::Error;
use opencv::core::{Mat, Ptr, Size as CvSize};
use opencv::imgproc::{
    MORPH_CLOSE, MORPH_OPEN, MORPH_RECT, dilate_def, gaussian_blur_def,
    get_structuring_element_def, morphology_ex_def,
};
use opencv::prelude::*;
use opencv::video::{BackgroundSubtractorMOG2, create_background_subtractor_mog2};

/// Frames that the mixture is made for; the rate is given with each frame, so this only has to be there.
const HISTORY: i32 = 500;
/// Squared distance from the background, in variances, from which on a pixel is foreground.
const THRESHOLD: f64 = 25.0;
/// Sides, in cells, of what is opened (specks), closed (holes) and of the margin.
const OPEN: i32 = 2;
const CLOSE: i32 = 7;
const MARGIN: i32 = 5;

/// The learned background of one session.
pub(crate) struct Background {
    size: Size,
    subtractor: Ptr<BackgroundSubtractorMOG2>,
    open: Mat,
    close: Mat,
    margin: Mat,
}

fn new_subtractor() -> Result<Ptr<BackgroundSubtractorMOG2>, Error> {
    // A shadow counts as foreground: it may be somebody in a dark coat.
    create_background_subtractor_mog2(HISTORY, THRESHOLD, true).map_err(failed("make a background"))
}

fn square_kernel(side: i32) -> Result<Mat, Error> {
    get_structuring_element_def(MORPH_RECT, CvSize::new(side, side))
        .map_err(failed("make a kernel"))
}

impl Background {
    pub fn new(size: Size) -> Result<Self, Error> {
        Ok(Self {
            size,
            subtractor: new_subtractor()?,
            open: square_kernel(OPEN)?,
            close: square_kernel(CLOSE)?,
            margin: square_kernel(MARGIN)?,
        })
    }

    /// Learns from a picture and says what of it moves: the silhouettes with a margin, and the share without.
    pub fn see(&mut self, picture: &Picture, step: Step) -> Result<(Mask, f32), Error> {
        if step.forget {
            self.subtractor = new_subtractor()?;
        }

        let (moving, share) = self
            .moving(&picture.0, step.rate)
            .map_err(failed("subtract the background"))?;
        let cells = moving
            .data_bytes()
            .map_err(failed("read the silhouettes"))?;
        let mask = Mask::from_cells(self.size.width, self.size.height, cells);

        mask.map(|mask| (mask, share)).ok_or(Error::Frame {
            found: cells.len(),
            expected: self.size.bytes(),
        })
    }

    fn moving(&mut self, picture: &Mat, rate: f64) -> opencv::Result<(Mat, f32)> {
        let (mut smooth, mut moving) = (Mat::default(), Mat::default());
        gaussian_blur_def(picture, &mut smooth, CvSize::new(3, 3), 0.0)?;
        BackgroundSubtractorMOG2Trait::apply(&mut self.subtractor, &smooth, &mut moving, rate)?;
        let without_specks = apply_morphology(&moving, MORPH_OPEN, &self.open)?;
        let whole = apply_morphology(&without_specks, MORPH_CLOSE, &self.close)?;
        let cells = whole.data_bytes()?;
        let share =
            cells.iter().filter(|cell| **cell != 0).count() as f32 / cells.len().max(1) as f32;
        let mut wide = Mat::default();
        dilate_def(&whole, &mut wide, &self.margin)?;
        Ok((wide, share))
    }
}

fn apply_morphology(from: &Mat, operation: i32, kernel: &Mat) -> opencv::Result<Mat> {
    let mut to = Mat::default();
    morphology_ex_def(from, &mut to, operation, kernel)?;
    Ok(to)
}
