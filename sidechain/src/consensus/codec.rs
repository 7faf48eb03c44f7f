//! Binary form of the engine's messages on the wire, in its WAL and in sync. Hostile bytes give an error, never a
//! panic and never a large allocation.

use super::context::{Address, BlockHash, EngineSignature, Height, HotPot, Part, Proposal, Vote};
use arc_malachitebft_app_channel::app::consensus::{
    LivenessMsg, ProposedValue, SignedConsensusMsg,
};
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_app_channel::app::types::codec::{Codec, HasEncodedLen};
use arc_malachitebft_app_channel::app::types::core::{
    ExtendedCommitCertificate, ExtendedCommitSignature, NilOrVal, PolkaCertificate, PolkaSignature,
    Round, RoundCertificate, RoundCertificateType, RoundSignature, SignedMessage, ValidatorProof,
    Validity, VoteType,
};
use arc_malachitebft_app_channel::app::types::{PeerId, sync};
use arc_malachitebft_sync::{ValueRequest, ValueResponse};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use domain::B256;
use std::io::{Error, ErrorKind};

type Result<T> = std::result::Result<T, Error>;

/// The codec that the engine is given.
#[derive(Clone, Copy, Debug)]
pub struct Wire;

fn malformed(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// A value with one byte form.
pub trait Encoded: Sized {
    fn put(&self, out: &mut BytesMut);
    fn decode_from(input: &mut Bytes) -> Result<Self>;
}

fn take_array<const N: usize>(input: &mut Bytes) -> Result<[u8; N]> {
    if input.remaining() < N {
        return Err(malformed("truncated"));
    }
    let mut bytes = [0; N];
    input.copy_to_slice(&mut bytes);
    Ok(bytes)
}

macro_rules! integer {
    ($($type:ty),*) => {$(
        impl Encoded for $type {
            fn put(&self, out: &mut BytesMut) {
                out.put_slice(&self.to_be_bytes());
            }
            fn decode_from(input: &mut Bytes) -> Result<Self> {
                Ok(Self::from_be_bytes(take_array(input)?))
            }
        }
    )*};
}
integer!(u8, u32, u64, i64);

/// A struct of the engine, field by field.
macro_rules! record {
    ($type:ty { $($field:ident),* }) => {
        impl Encoded for $type {
            fn put(&self, out: &mut BytesMut) {
                $(self.$field.put(out);)*
            }
            fn decode_from(input: &mut Bytes) -> Result<Self> {
                Ok(Self { $($field: Encoded::decode_from(input)?),* })
            }
        }
    };
}

/// A two-valued type of the engine as one byte; any other byte is malformed.
macro_rules! either {
    ($type:ty, $zero:pat => $zero_value:expr, $one:pat => $one_value:expr) => {
        impl Encoded for $type {
            fn put(&self, out: &mut BytesMut) {
                out.put_u8(match self {
                    $zero => 0,
                    $one => 1,
                });
            }
            fn decode_from(input: &mut Bytes) -> Result<Self> {
                match u8::decode_from(input)? {
                    0 => Ok($zero_value),
                    1 => Ok($one_value),
                    _ => Err(malformed(stringify!($type))),
                }
            }
        }
    };
}

record!(Proposal {
    height,
    round,
    value,
    pol_round,
    proposer
});
record!(Vote {
    step,
    height,
    round,
    value,
    validator,
    extension
});
record!(PolkaSignature<HotPot> { address, signature });
record!(PolkaCertificate<HotPot> { height, round, value_id, polka_signatures });
record!(RoundSignature<HotPot> { vote_type, value_id, address, signature });
record!(RoundCertificate<HotPot> { height, round, cert_type, round_signatures });
record!(ExtendedCommitSignature<HotPot> { address, signature, extension });
record!(ExtendedCommitCertificate<HotPot> { height, round, value_id, commit_signatures });
record!(ProposedValue<HotPot> { height, round, valid_round, proposer, value, validity });
record!(sync::RawDecidedValue<HotPot> { value_bytes, certificate });
record!(sync::Status<HotPot> { peer_id, tip_height, history_min_height });
either!(VoteType, VoteType::Prevote => VoteType::Prevote, VoteType::Precommit => VoteType::Precommit);
either!(
    RoundCertificateType,
    RoundCertificateType::Skip => RoundCertificateType::Skip,
    RoundCertificateType::Precommit => RoundCertificateType::Precommit
);
either!(Validity, Validity::Invalid => Validity::Invalid, Validity::Valid => Validity::Valid);

impl Encoded for Bytes {
    fn put(&self, out: &mut BytesMut) {
        // Messages are bounded far below 4 GiB by the network.
        u32::try_from(self.len()).unwrap_or(u32::MAX).put(out);
        out.put_slice(self);
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        let length = u32::decode_from(input)? as usize;
        if length > input.remaining() {
            return Err(malformed("length"));
        }
        Ok(input.split_to(length))
    }
}

impl<T: Encoded> Encoded for Vec<T> {
    fn put(&self, out: &mut BytesMut) {
        u32::try_from(self.len()).unwrap_or(u32::MAX).put(out);
        self.iter().for_each(|item| item.put(out));
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        let count = u32::decode_from(input)? as usize;
        // No item is shorter than a byte: a count beyond the input is a lie.
        if count > input.remaining() {
            return Err(malformed("count"));
        }
        (0..count).map(|_| T::decode_from(input)).collect()
    }
}

impl<T: Encoded> Encoded for Option<T> {
    fn put(&self, out: &mut BytesMut) {
        out.put_u8(u8::from(self.is_some()));
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        match u8::decode_from(input)? {
            0 => Ok(None),
            1 => T::decode_from(input).map(Some),
            _ => Err(malformed("option")),
        }
    }
}

impl Encoded for Height {
    fn put(&self, out: &mut BytesMut) {
        self.0.put(out);
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        u64::decode_from(input).map(Self)
    }
}

impl Encoded for Address {
    fn put(&self, out: &mut BytesMut) {
        out.put_slice(self.0.as_slice());
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        take_array::<20>(input).map(|bytes| Self(bytes.into()))
    }
}

impl Encoded for BlockHash {
    fn put(&self, out: &mut BytesMut) {
        out.put_slice(self.0.as_slice());
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        take_array::<32>(input).map(|bytes| Self(B256::from(bytes)))
    }
}

impl Encoded for Round {
    fn put(&self, out: &mut BytesMut) {
        self.as_i64().put(out);
    }

    /// The engine's own conversion asserts on values out of range, so they are refused here.
    fn decode_from(input: &mut Bytes) -> Result<Self> {
        match i64::decode_from(input)? {
            -1 => Ok(Self::Nil),
            round => u32::try_from(round)
                .map(Self::new)
                .map_err(|_| malformed("round")),
        }
    }
}

impl Encoded for EngineSignature {
    fn put(&self, out: &mut BytesMut) {
        out.put_slice(&self.inner().0);
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        take_array::<65>(input).map(|bytes| Self::new(domain::Signature(bytes)))
    }
}

impl Encoded for NilOrVal<BlockHash> {
    fn put(&self, out: &mut BytesMut) {
        match self {
            Self::Nil => None,
            Self::Val(hash) => Some(*hash),
        }
        .put(out);
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        Ok(Option::<BlockHash>::decode_from(input)?.map_or(Self::Nil, Self::Val))
    }
}

impl<T: Encoded> Encoded for SignedMessage<HotPot, T> {
    fn put(&self, out: &mut BytesMut) {
        self.message.put(out);
        self.signature.put(out);
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        Ok(Self::new(
            T::decode_from(input)?,
            Encoded::decode_from(input)?,
        ))
    }
}

impl Encoded for PeerId {
    fn put(&self, out: &mut BytesMut) {
        Bytes::from(self.to_bytes()).put(out);
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        let bytes = Bytes::decode_from(input)?;
        let id = Self::from_bytes(&bytes).map_err(|_| malformed("peer id"))?;

        // A number in it may be written longer than it has to be.
        if id.to_bytes() != bytes {
            return Err(malformed("peer id in another form"));
        }
        Ok(id)
    }
}

impl Encoded for Part {
    fn put(&self, out: &mut BytesMut) {
        match self {
            Self::Init {
                height,
                round,
                pol_round,
                proposer,
            } => {
                out.put_u8(0);
                height.put(out);
                round.put(out);
                pol_round.put(out);
                proposer.put(out);
            }
            Self::Data(bytes) => {
                out.put_u8(1);
                bytes.put(out);
            }
            Self::Fin { signature } => {
                out.put_u8(2);
                signature.put(out);
            }
        }
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        match u8::decode_from(input)? {
            0 => Ok(Self::Init {
                height: Encoded::decode_from(input)?,
                round: Encoded::decode_from(input)?,
                pol_round: Encoded::decode_from(input)?,
                proposer: Encoded::decode_from(input)?,
            }),
            1 => Bytes::decode_from(input).map(Self::Data),
            2 => Encoded::decode_from(input).map(|signature| Self::Fin { signature }),
            _ => Err(malformed("part")),
        }
    }
}

impl Encoded for StreamMessage<Part> {
    fn put(&self, out: &mut BytesMut) {
        self.stream_id.to_bytes().put(out);
        self.sequence.put(out);
        self.content.as_data().cloned().put(out);
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        let id = StreamId::new(Bytes::decode_from(input)?);
        let sequence = u64::decode_from(input)?;
        let content =
            Option::<Part>::decode_from(input)?.map_or(StreamContent::Fin, StreamContent::Data);
        Ok(Self::new(id, sequence, content))
    }
}

impl Encoded for SignedConsensusMsg<HotPot> {
    fn put(&self, out: &mut BytesMut) {
        match self {
            Self::Vote(vote) => {
                out.put_u8(0);
                vote.put(out);
            }
            Self::Proposal(proposal) => {
                out.put_u8(1);
                proposal.put(out);
            }
        }
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        match u8::decode_from(input)? {
            0 => Encoded::decode_from(input).map(Self::Vote),
            1 => Encoded::decode_from(input).map(Self::Proposal),
            _ => Err(malformed("consensus message")),
        }
    }
}

impl Encoded for LivenessMsg<HotPot> {
    fn put(&self, out: &mut BytesMut) {
        match self {
            Self::Vote(vote) => {
                out.put_u8(0);
                vote.put(out);
            }
            Self::PolkaCertificate(certificate) => {
                out.put_u8(1);
                certificate.put(out);
            }
            Self::SkipRoundCertificate(certificate) => {
                out.put_u8(2);
                certificate.put(out);
            }
        }
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        match u8::decode_from(input)? {
            0 => Encoded::decode_from(input).map(Self::Vote),
            1 => Encoded::decode_from(input).map(Self::PolkaCertificate),
            2 => Encoded::decode_from(input).map(Self::SkipRoundCertificate),
            _ => Err(malformed("liveness message")),
        }
    }
}

impl Encoded for ValidatorProof<HotPot> {
    fn put(&self, out: &mut BytesMut) {
        Bytes::copy_from_slice(&self.public_key).put(out);
        Bytes::copy_from_slice(&self.peer_id).put(out);
        self.signature.put(out);
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        let public_key = Bytes::decode_from(input)?.to_vec();
        let peer_id = Bytes::decode_from(input)?.to_vec();
        Ok(Self::new(public_key, peer_id, Encoded::decode_from(input)?))
    }
}

impl Encoded for sync::Request<HotPot> {
    fn put(&self, out: &mut BytesMut) {
        let Self::ValueRequest(request) = self;
        request.range.start().put(out);
        request.range.end().put(out);
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        let (first, last) = (Height::decode_from(input)?, Height::decode_from(input)?);
        Ok(Self::ValueRequest(ValueRequest::new(first..=last)))
    }
}

impl Encoded for sync::Response<HotPot> {
    fn put(&self, out: &mut BytesMut) {
        let Self::ValueResponse(response) = self;
        response.start_height.put(out);
        response.values.put(out);
    }

    fn decode_from(input: &mut Bytes) -> Result<Self> {
        Ok(Self::ValueResponse(ValueResponse::new(
            Encoded::decode_from(input)?,
            Encoded::decode_from(input)?,
        )))
    }
}

impl<T: Encoded> Codec<T> for Wire {
    type Error = Error;

    fn decode(&self, mut bytes: Bytes) -> Result<T> {
        let value = T::decode_from(&mut bytes)?;
        if bytes.is_empty() {
            Ok(value)
        } else {
            Err(malformed("trailing bytes"))
        }
    }

    fn encode(&self, value: &T) -> Result<Bytes> {
        let mut out = BytesMut::new();
        value.put(&mut out);
        Ok(out.freeze())
    }
}

impl HasEncodedLen<sync::Response<HotPot>> for Wire {
    fn encoded_len(&self, response: &sync::Response<HotPot>) -> Result<usize> {
        Ok(self.encode(response)?.len())
    }
}

/// Takes the bytes for each message that a peer may send, and for what the engine's log holds: for fuzzing. What is
/// accepted has one byte form.
pub fn decode_every_message(bytes: &[u8]) {
    decode_one::<SignedConsensusMsg<HotPot>>(bytes);
    decode_one::<LivenessMsg<HotPot>>(bytes);
    decode_one::<StreamMessage<Part>>(bytes);
    decode_one::<ProposedValue<HotPot>>(bytes);
    decode_one::<PolkaCertificate<HotPot>>(bytes);
    decode_one::<ExtendedCommitCertificate<HotPot>>(bytes);
    decode_one::<ValidatorProof<HotPot>>(bytes);
    decode_one::<sync::Status<HotPot>>(bytes);
    decode_one::<sync::Request<HotPot>>(bytes);
    decode_one::<sync::Response<HotPot>>(bytes);
}

fn decode_one<T: Encoded>(bytes: &[u8]) {
    if let Ok(message) = <Wire as Codec<T>>::decode(&Wire, Bytes::copy_from_slice(bytes)) {
        let again = <Wire as Codec<T>>::encode(&Wire, &message);
        debug_assert_eq!(again.ok().as_deref(), Some(bytes), "two encodings");
    }
}
