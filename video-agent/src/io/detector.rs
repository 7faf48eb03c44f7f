//! CenterFace on OpenCV's DNN module.

use super::images::{DETECTOR_SIZE, Picture, failed};
use crate::core::centerface::{Detection, Output};
use crate::core::frame::Size;
use crate::core::geometry::Rect;
use crate::core::policy::{MODEL_SHA256, SCORE_BEGIN, SCORE_KEEP};
use crate::error::Error;
use opencv::core::{CV_32F, Mat, Scalar, Size as CvSize, Vector};
use opencv::dnn::{Net, blob_from_image};
use opencv::prelude::*;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Finds faces. It may fail, lie or hang: whoever calls it has to be prepared.
pub(crate) trait FaceDetector: Send {
    /// Faces in pixels of the camera's frame, best first.
    fn detect(&mut self, picture: &Picture) -> Result<Vec<Detection>, Error>;
}

/// Where the heat map, the sizes and the offsets come out.
const OUTPUTS: [&str; 3] = ["537", "538", "539"];
/// The reference picture: a portrait in grey (NASA, public domain), as binary PGM.
const REFERENCE: &[u8] = include_bytes!("../../assets/reference.pgm");
const REFERENCE_SIZE: Size = Size {
    width: 160,
    height: 192,
};
/// Where its one face is.
const REFERENCE_FACE: Rect = Rect {
    left: 36.0,
    top: 26.0,
    right: 116.0,
    bottom: 136.0,
};
const REFERENCE_OVERLAP_MIN: f32 = 0.5;
/// Where it is put on grey.
const REFERENCE_AT: (usize, usize) = (240, 96);

/// The network. One object is only ever fed with one size: OpenCV 4.6 gives garbage without an error otherwise.
pub(crate) struct CenterFace {
    net: Net,
    scale: (f32, f32),
}

impl CenterFace {
    /// Reads the model, compares its checksum, and lets it find the face of the reference picture.
    pub fn open(file: &Path, size: Size) -> Result<Self, Error> {
        let model = std::fs::read(file).map_err(|source| Error::ModelFile {
            file: file.to_owned(),
            source,
        })?;
        let found = hex::encode(Sha256::digest(&model));
        if found != MODEL_SHA256 {
            return Err(Error::ModelChecksum {
                found,
                expected: MODEL_SHA256,
            });
        }
        // From the bytes that were checked, not from the file, which may have changed since.
        let net = opencv::dnn::read_net_from_onnx_buffer(&Vector::from_slice(&model))
            .map_err(failed("read the model"))?;
        let mut detector = Self {
            net,
            scale: (1.0, 1.0),
        };
        detector.self_test()?;
        let (width, height) = (DETECTOR_SIZE.width as f32, DETECTOR_SIZE.height as f32);
        detector.scale = (size.width as f32 / width, size.height as f32 / height);
        Ok(detector)
    }

    fn self_test(&mut self) -> Result<(), Error> {
        let (grey, portrait) = reference_pictures()?;
        let on_grey = self.detect(&grey)?;
        let (x, y) = (REFERENCE_AT.0 as f32, REFERENCE_AT.1 as f32);
        let expected = REFERENCE_FACE.moved((x, y));

        for _ in 0..2 {
            let found = self.detect(&portrait)?;
            let is_right = |face: &Detection| {
                face.score >= SCORE_BEGIN && face.rect.overlap(&expected) >= REFERENCE_OVERLAP_MIN
            };

            if !on_grey.is_empty() || found.len() != 1 || !found.iter().all(is_right) {
                return Err(Error::SelfTest {
                    found: format!("{found:?}, on grey {on_grey:?}"),
                });
            }
        }

        Ok(())
    }

    fn forward(&mut self, picture: &Mat) -> opencv::Result<Vector<Mat>> {
        let size = CvSize::new(DETECTOR_SIZE.width as i32, DETECTOR_SIZE.height as i32);
        let blob = blob_from_image(picture, 1.0, size, Scalar::default(), true, false, CV_32F)?;
        self.net.set_input_def(&blob)?;
        let names: Vector<String> = OUTPUTS.into_iter().collect();
        let mut answers = Vector::<Mat>::new();
        self.net.forward(&mut answers, &names)?;
        Ok(answers)
    }
}

impl FaceDetector for CenterFace {
    fn detect(&mut self, picture: &Picture) -> Result<Vec<Detection>, Error> {
        let answers = self.forward(&picture.0).map_err(failed("look for faces"))?;

        let plane = |number: usize| {
            answers
                .get(number)
                .map_err(failed("read the detector's answer"))
        };
        let (heat, sizes, offsets) = (plane(0)?, plane(1)?, plane(2)?);

        let output = Output {
            columns: DETECTOR_SIZE.width / 4,
            rows: DETECTOR_SIZE.height / 4,
            heat: float_values(&heat)?,
            sizes: float_values(&sizes)?,
            offsets: float_values(&offsets)?,
        };

        Ok(output.faces(SCORE_KEEP, self.scale)?)
    }
}

fn float_values(plane: &Mat) -> Result<&[f32], Error> {
    plane
        .data_typed::<f32>()
        .map_err(failed("read the detector's answer"))
}

/// Grey alone, and with the portrait on it.
fn reference_pictures() -> Result<(Picture, Picture), Error> {
    let Size { width, height } = REFERENCE_SIZE;
    let pixels = REFERENCE
        .len()
        .checked_sub(width * height)
        .and_then(|head| REFERENCE.get(head..));
    let pixels = pixels.unwrap_or_default();

    let mut bytes = vec![128u8; DETECTOR_SIZE.bytes() * 2];
    let grey = to_picture(&bytes)?;

    for (row, line) in pixels.chunks_exact(width).enumerate() {
        for (column, value) in line.iter().enumerate() {
            let at = ((REFERENCE_AT.1 + row) * DETECTOR_SIZE.width + REFERENCE_AT.0 + column) * 3;
            bytes[at..at + 3].fill(*value);
        }
    }

    Ok((grey, to_picture(&bytes)?))
}

fn to_picture(bytes: &[u8]) -> Result<Picture, Error> {
    let rows = DETECTOR_SIZE.height as i32;
    let mat = Mat::from_slice(bytes).and_then(|flat| flat.reshape(3, rows)?.try_clone());
    mat.map(Picture)
        .map_err(failed("make the reference picture"))
}
