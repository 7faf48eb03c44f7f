//! Proposed blocks cut into parts and put together again. Bounded: a peer cannot fill the memory.

use super::context::{Address, EngineSignature, Height, Part};
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_app_channel::app::types::PeerId;
use arc_malachitebft_app_channel::app::types::core::Round;
use bytes::{Bytes, BytesMut};
use domain::limits::BLOCK_BYTES_MAX;
use std::collections::{BTreeMap, VecDeque};

/// Bytes of a block in one part.
const PART_BYTES: usize = 128 * 1024;
/// Init, data, fin and the end of the stream.
const PARTS_MAX: usize = BLOCK_BYTES_MAX / PART_BYTES + 4;
/// Unfinished streams kept; the oldest goes first.
const STREAMS_MAX: usize = 64;

/// A block as its proposer streamed it; its signature is not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamedBlock {
    pub height: Height,
    pub round: Round,
    pub pol_round: Round,
    pub proposer: Address,
    pub bytes: Bytes,
    pub signature: EngineSignature,
}

impl StreamedBlock {
    /// The messages that carry it.
    pub fn into_messages(self, id: StreamId) -> Vec<StreamMessage<Part>> {
        let Self {
            height,
            round,
            pol_round,
            proposer,
            bytes,
            signature,
        } = self;

        let data = (0..bytes.len())
            .step_by(PART_BYTES)
            .map(|from| Part::Data(bytes.slice(from..bytes.len().min(from + PART_BYTES))));

        std::iter::once(Part::Init {
            height,
            round,
            pol_round,
            proposer,
        })
        .chain(data)
        .chain([Part::Fin { signature }])
        .map(StreamContent::Data)
        .chain([StreamContent::Fin])
        .zip(0u64..)
        .map(|(content, sequence)| StreamMessage::new(id.clone(), sequence, content))
        .collect()
    }
}

#[derive(Default)]
struct Stream {
    parts: BTreeMap<u64, Part>,
    end: Option<u64>,
}

impl Stream {
    fn is_complete(&self) -> bool {
        self.end.is_some_and(|end| self.parts.len() as u64 == end)
    }

    fn assemble(self) -> Option<StreamedBlock> {
        let mut parts = self.parts.into_values();
        let Some(Part::Init {
            height,
            round,
            pol_round,
            proposer,
        }) = parts.next()
        else {
            return None;
        };

        let mut bytes = BytesMut::new();
        for part in parts {
            match part {
                Part::Data(data) if bytes.len() + data.len() <= BLOCK_BYTES_MAX => {
                    bytes.extend_from_slice(&data)
                }
                Part::Fin { signature } => {
                    let bytes = bytes.freeze();
                    return Some(StreamedBlock {
                        height,
                        round,
                        pol_round,
                        proposer,
                        bytes,
                        signature,
                    });
                }
                Part::Init { .. } | Part::Data(_) => return None,
            }
        }

        None
    }
}

/// Streams under way, by who published them.
#[derive(Default)]
pub struct Streams {
    open: BTreeMap<(Vec<u8>, Vec<u8>), Stream>,
    order: VecDeque<(Vec<u8>, Vec<u8>)>,
}

impl Streams {
    /// Takes one message; gives the block once its stream is complete.
    pub fn insert(
        &mut self,
        publisher: PeerId,
        message: StreamMessage<Part>,
    ) -> Option<StreamedBlock> {
        let key = (publisher.to_bytes(), message.stream_id.to_bytes().to_vec());
        if message.sequence > PARTS_MAX as u64 {
            self.open.remove(&key);
            return None;
        }

        self.make_room(&key);
        let stream = self.open.entry(key.clone()).or_default();
        match message.content {
            StreamContent::Data(Part::Data(bytes)) if bytes.len() > PART_BYTES => {
                self.open.remove(&key);
                return None;
            }
            StreamContent::Data(part) => {
                stream.parts.insert(message.sequence, part);
            }
            StreamContent::Fin => stream.end = Some(message.sequence),
        }

        if !stream.is_complete() {
            return None;
        }
        self.open.remove(&key)?.assemble()
    }

    /// Streams under way.
    #[cfg(test)]
    pub fn open_streams(&self) -> usize {
        self.open.len()
    }

    fn make_room(&mut self, key: &(Vec<u8>, Vec<u8>)) {
        if self.open.contains_key(key) {
            return;
        }
        while self.order.len() >= STREAMS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.open.remove(&oldest);
            }
        }
        self.order.push_back(key.clone());
    }
}
