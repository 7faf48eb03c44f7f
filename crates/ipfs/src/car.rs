//! Content-addressable archives, version 1: blocks with their CIDs in one file, which any IPFS tool reads.
//! `varint length ‖ header` and then `varint length ‖ CID ‖ block` until the end; the header is DAG-CBOR
//! `{"roots": [CID, …], "version": 1}`.

use crate::cid::{CID_BYTES, Cid};
use crate::error::IpfsError;
use crate::unixfs::BLOCK_BYTES_MAX;
use std::io::{ErrorKind, Read, Write};

/// A header names at most so many roots.
pub const ROOTS_MAX: usize = 16;
/// `{"roots": [` in DAG-CBOR, up to the array's head.
const BEFORE_ROOTS: &[u8] = b"\xa2\x65roots";
/// `], "version": 1}`.
const AFTER_ROOTS: &[u8] = b"\x67version\x01";
/// Tag 42, a byte string of 37 bytes, and the byte 0 that precedes each binary CID.
const LINK: [u8; 5] = [0xd8, 0x2a, 0x58, CID_BYTES as u8 + 1, 0x00];
/// The head of an array of no elements; the count is added.
const ARRAY: u8 = 0x80;
const HEADER_BYTES_MAX: usize =
    BEFORE_ROOTS.len() + 1 + ROOTS_MAX * (LINK.len() + CID_BYTES) + AFTER_ROOTS.len();
/// A length of more bytes is beyond every bound.
const VARINT_BYTES_MAX: u32 = 5;

fn encode_header(roots: &[Cid]) -> Vec<u8> {
    let links = roots
        .iter()
        .flat_map(|root| LINK.iter().chain(root.as_bytes()).copied());
    let count = ARRAY | roots.len() as u8;
    BEFORE_ROOTS
        .iter()
        .copied()
        .chain([count])
        .chain(links)
        .chain(AFTER_ROOTS.iter().copied())
        .collect()
}

fn roots_of(header: &[u8]) -> Option<Vec<Cid>> {
    let middle = header
        .strip_prefix(BEFORE_ROOTS)?
        .strip_suffix(AFTER_ROOTS)?;
    let (count, links) = middle.split_first()?;
    let count = count
        .checked_sub(ARRAY)
        .map(usize::from)
        .filter(|count| *count < 24)?;

    let (links, rest) = links.as_chunks::<{ LINK.len() + CID_BYTES }>();
    if !rest.is_empty() || links.len() != count {
        return None;
    }

    links
        .iter()
        .map(|link| Cid::from_bytes(link.strip_prefix(LINK.as_slice())?).ok())
        .collect()
}

fn encode_varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Writes an archive.
pub struct Writer<W> {
    output: W,
    at: u64,
}

impl<W: Write> Writer<W> {
    /// Begins an archive of these roots.
    pub fn new(output: W, roots: &[Cid]) -> Result<Self, IpfsError> {
        if roots.is_empty() || roots.len() > ROOTS_MAX {
            return Err(IpfsError::Car {
                at: 0,
                detail: format!("expected 1 to {ROOTS_MAX} roots, found {}", roots.len()),
            });
        }
        let mut writer = Self { output, at: 0 };
        writer.section(&[&encode_header(roots)])?;
        Ok(writer)
    }

    /// Appends a block.
    pub fn block(&mut self, cid: &Cid, block: &[u8]) -> Result<(), IpfsError> {
        self.section(&[cid.as_bytes(), block])
    }

    fn section(&mut self, parts: &[&[u8]]) -> Result<(), IpfsError> {
        let length = encode_varint(parts.iter().map(|part| part.len()).sum());
        for bytes in std::iter::once(length.as_slice()).chain(parts.iter().copied()) {
            let failed = |error| IpfsError::Car {
                at: self.at,
                detail: format!("cannot be written: {error}"),
            };
            self.output.write_all(bytes).map_err(failed)?;
            self.at += bytes.len() as u64;
        }
        Ok(())
    }
}

/// Reads an archive, which may be a stranger's: lengths are bounded and every block is checked against its CID.
pub struct Reader<R> {
    input: R,
    at: u64,
    roots: Vec<Cid>,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    pub fn new(input: R) -> Result<Self, IpfsError> {
        let mut reader = Self {
            input,
            at: 0,
            roots: Vec::new(),
        };
        let header = reader
            .section(HEADER_BYTES_MAX)?
            .ok_or_else(|| reader.error("it is empty"))?;
        reader.roots = roots_of(&header).filter(|roots| (1..=ROOTS_MAX).contains(&roots.len())).ok_or_else(|| {
            reader.error(&format!("expected a header of version 1 with 1 to {ROOTS_MAX} roots of CIDv1 and sha2-256"))
        })?;
        Ok(reader)
    }

    /// What the archive is about.
    pub fn roots(&self) -> &[Cid] {
        &self.roots
    }

    /// The next block; none at the end.
    pub fn block(&mut self) -> Result<Option<(Cid, Vec<u8>)>, IpfsError> {
        let Some(mut section) = self.section(CID_BYTES + BLOCK_BYTES_MAX)? else {
            return Ok(None);
        };
        if section.len() < CID_BYTES {
            return Err(self.error(&format!("a section of {} bytes has no CID", section.len())));
        }

        let block = section.split_off(CID_BYTES);
        let cid = Cid::from_bytes(&section).map_err(|error| self.error(&error.to_string()))?;

        if cid.matches(&block) {
            Ok(Some((cid, block)))
        } else {
            Err(self.error(&format!("block {cid} has another hash")))
        }
    }

    fn section(&mut self, max: usize) -> Result<Option<Vec<u8>>, IpfsError> {
        let Some(length) = self.length()? else {
            return Ok(None);
        };
        if length > max as u64 {
            return Err(self.error(&format!(
                "a section of {length} bytes, expected at most {max}"
            )));
        }

        let mut section = Vec::new();
        let read = self.input.by_ref().take(length).read_to_end(&mut section);
        read.map_err(|error| self.error(&error.to_string()))?;
        self.at += section.len() as u64;

        if section.len() as u64 == length {
            Ok(Some(section))
        } else {
            Err(self.error("it ends within a section"))
        }
    }

    /// An unsigned LEB128 in its shortest form; none at the end.
    fn length(&mut self) -> Result<Option<u64>, IpfsError> {
        let mut length = 0u64;
        for place in 0..VARINT_BYTES_MAX {
            let Some(byte) = self.byte()? else {
                return if place == 0 {
                    Ok(None)
                } else {
                    Err(self.error("it ends within a length"))
                };
            };

            length |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                let shortest = byte != 0 || place == 0;
                return if shortest {
                    Ok(Some(length))
                } else {
                    Err(self.error("a length with needless zeros"))
                };
            }
        }

        Err(self.error("a length of too many bytes"))
    }

    fn byte(&mut self) -> Result<Option<u8>, IpfsError> {
        let mut byte = [0u8];
        loop {
            match self.input.read(&mut byte) {
                Ok(0) => return Ok(None),
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(&error.to_string())),
            }
        }
        self.at += 1;
        Ok(Some(byte[0]))
    }

    fn error(&self, detail: &str) -> IpfsError {
        IpfsError::Car {
            at: self.at,
            detail: detail.to_owned(),
        }
    }
}
