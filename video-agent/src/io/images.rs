//! Small pictures of a frame, for what looks at it. They are made from the planes, so that no large one is converted.

use crate::core::alerts::THUMBNAIL;
use crate::core::frame::{RawFrame, Size};
use crate::core::policy::CELL;
use crate::error::Error;
use opencv::core::{Mat, Size as CvSize, Vector, vconcat};
use opencv::imgproc::{COLOR_YUV2BGR_I420, INTER_AREA, cvt_color_def, resize};
use opencv::prelude::*;

/// What the detector's network takes.
pub(crate) const DETECTOR_SIZE: Size = Size {
    width: 640,
    height: 384,
};

/// A small picture in blue, green and red.
pub(crate) struct Picture(pub(super) Mat);

/// Turns OpenCV's failures into ours.
pub(super) fn failed(step: &'static str) -> impl FnOnce(opencv::Error) -> Error {
    move |source| Error::Vision { step, source }
}

/// Cameras share the machine's processors; OpenCV's own threads gained nothing when that was measured.
pub(crate) fn single_threaded() -> Result<(), Error> {
    opencv::core::set_num_threads(1).map_err(failed("limit OpenCV to one thread"))
}

/// One pixel for each cell of a mask, for what looks at movement.
pub(crate) fn background(frame: &RawFrame, size: Size) -> Result<Picture, Error> {
    let small = Size {
        width: size.width / CELL,
        height: size.height / CELL,
    };
    // Two rows of a half plane have to fill rows of the whole picture.
    let even = Size {
        width: small.width.next_multiple_of(2),
        height: small.height.next_multiple_of(4),
    };
    let picture = shrink_frame(frame, even).map_err(failed("shrink a frame"))?;
    if even == small {
        return Ok(Picture(picture));
    }
    let mut exact = Mat::default();
    resize(&picture, &mut exact, cv_size(small), 0.0, 0.0, INTER_AREA)
        .map_err(failed("shrink a frame"))?;
    Ok(Picture(exact))
}

/// What the detector looks at.
pub(crate) fn faces(frame: &RawFrame, _size: Size) -> Result<Picture, Error> {
    shrink_frame(frame, DETECTOR_SIZE)
        .map(Picture)
        .map_err(failed("shrink a frame for the detector"))
}

/// What alerts are judged by.
pub(crate) fn thumbnail(frame: &RawFrame) -> Result<Vec<u8>, Error> {
    let (width, height) = THUMBNAIL;
    let grey = borrow_plane(frame, 0).and_then(|luma| shrink_plane(&luma, Size { width, height }));
    let bytes = grey.and_then(|grey| grey.data_bytes().map(<[u8]>::to_vec));
    bytes.map_err(failed("shrink a frame for alerts"))
}

fn shrink_frame(frame: &RawFrame, size: Size) -> opencv::Result<Mat> {
    let half = Size {
        width: size.width / 2,
        height: size.height / 2,
    };
    let luma = shrink_plane(&borrow_plane(frame, 0)?, size)?;
    let mut planes = Vector::<Mat>::new();
    planes.push(luma);
    for number in [1, 2] {
        // Two rows of a half plane make one row of the whole picture.
        let chroma = shrink_plane(&borrow_plane(frame, number)?, half)?;
        planes.push(chroma.reshape(1, size.height as i32 / 4)?.try_clone()?);
    }
    let (mut together, mut picture) = (Mat::default(), Mat::default());
    vconcat(&planes, &mut together)?;
    cvt_color_def(&together, &mut picture, COLOR_YUV2BGR_I420)?;
    Ok(picture)
}

fn cv_size(size: Size) -> CvSize {
    CvSize::new(size.width as i32, size.height as i32)
}

fn shrink_plane(plane: &impl opencv::core::ToInputArray, size: Size) -> opencv::Result<Mat> {
    let mut small = Mat::default();
    resize(plane, &mut small, cv_size(size), 0.0, 0.0, INTER_AREA)?;
    Ok(small)
}

/// Luma, or one of the two chroma planes, without a copy.
fn borrow_plane(
    frame: &RawFrame,
    number: usize,
) -> opencv::Result<opencv::boxed_ref::BoxedRef<'_, Mat>> {
    let Size { width, height } = frame.size;
    let (luma, chroma) = (width * height, width * height / 4);
    let (from, length, rows, columns) = match number {
        0 => (0, luma, height, width),
        _ => (luma + (number - 1) * chroma, chroma, height / 2, width / 2),
    };
    let bytes = frame.pixels.get(from..from + length).unwrap_or_default();
    Mat::new_rows_cols_with_data(rows as i32, columns as i32, bytes)
}
