//! Bytes to lines of text: the encoding is declared, or a byte order mark says it, or it is UTF-8; nothing is guessed.

use crate::file::FileError;
use encoding_rs::{DecoderResult, Encoding};
use serde::Deserialize;
use std::io::Read;

/// The longest line; a longer one is no row of a till.
pub(crate) const LINE_BYTES_MAX: usize = 1 << 20;
/// Bytes that are decoded at a time.
const CHUNK_BYTES: usize = 1 << 16;

/// How the bytes of a file stand for characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum TextEncoding {
    /// With or without a byte order mark. The default; a mark of UTF-16 is believed too.
    #[serde(rename = "utf-8")]
    Utf8,
    /// A byte order mark says which end comes first; without one, the lower.
    #[serde(rename = "utf-16")]
    Utf16,
    /// The higher end first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Cyrillic on Windows.
    #[serde(rename = "windows-1251")]
    Windows1251,
    /// Western languages on Windows.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// Western languages elsewhere: each byte is the character of that number.
    #[serde(rename = "iso-8859-1")]
    Iso8859_1,
}

impl TextEncoding {
    /// As in the map.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Utf16Be => "utf-16be",
            Self::Windows1251 => "windows-1251",
            Self::Windows1252 => "windows-1252",
            Self::Iso8859_1 => "iso-8859-1",
        }
    }

    /// Nothing for ISO 8859-1, whose name means windows-1252 to the library, as it does to browsers.
    const fn codec(self) -> Option<&'static Encoding> {
        match self {
            Self::Utf8 => Some(encoding_rs::UTF_8),
            Self::Utf16 => Some(encoding_rs::UTF_16LE),
            Self::Utf16Be => Some(encoding_rs::UTF_16BE),
            Self::Windows1251 => Some(encoding_rs::WINDOWS_1251),
            Self::Windows1252 => Some(encoding_rs::WINDOWS_1252),
            Self::Iso8859_1 => None,
        }
    }
}

/// The lines of a file, one in memory at a time. `\n`, `\r\n` and a bare `\r` end a line.
pub(crate) struct TextLines {
    reader: Box<dyn Read>,
    /// Nothing: each byte is the character of that number.
    decoder: Option<encoding_rs::Decoder>,
    encoding: &'static str,
    /// Decoded and not handed out yet, from `start` on.
    text: String,
    start: usize,
    ended: bool,
    line: u64,
}

impl TextLines {
    pub fn new(reader: impl Read + 'static, declared: Option<TextEncoding>) -> Self {
        let encoding = declared.unwrap_or(TextEncoding::Utf8);

        Self {
            reader: Box::new(reader),
            // A mark overrules UTF-8 and UTF-16; where the map names a code page, it is text like any other.
            decoder: encoding.codec().map(|codec| match encoding {
                TextEncoding::Windows1251 | TextEncoding::Windows1252 => {
                    codec.new_decoder_without_bom_handling()
                }
                _ => codec.new_decoder(),
            }),
            encoding: encoding.name(),
            text: String::new(),
            start: 0,
            ended: false,
            line: 0,
        }
    }

    /// The next line with its number, counted from 1, without its end.
    pub fn next_line(&mut self) -> Result<Option<(u64, &str)>, FileError> {
        let (from, to, next) = loop {
            if let Some(found) = self.line_in_buffer() {
                break found;
            }
            if self.ended {
                return Ok(None);
            }
            self.decode_chunk()?;
        };

        self.line += 1;
        self.start = next;
        let line = &self.text[from..to];
        if line.contains('\0') {
            return Err(FileError::ZeroBytes { line: self.line });
        }

        Ok(Some((self.line, line)))
    }

    /// Where the next line begins and ends, and where the one behind it begins.
    fn line_in_buffer(&self) -> Option<(usize, usize, usize)> {
        let rest = &self.text[self.start..];
        let Some(length) = rest.find(['\n', '\r']) else {
            let is_last = self.ended && !rest.is_empty();
            return is_last.then_some((self.start, self.text.len(), self.text.len()));
        };

        let end = self.start + length;
        let behind = &self.text[end..];
        if behind.starts_with("\r\n") {
            return Some((self.start, end, end + 2));
        }
        // Whether a line feed follows is not known yet.
        if behind == "\r" && !self.ended {
            return None;
        }

        Some((self.start, end, end + 1))
    }

    fn decode_chunk(&mut self) -> Result<(), FileError> {
        self.text.drain(..self.start);
        self.start = 0;
        if self.text.len() > LINE_BYTES_MAX {
            return Err(FileError::LongLine {
                line: self.line + 1,
            });
        }

        let mut bytes = vec![0; CHUNK_BYTES];
        let read = self.reader.read(&mut bytes)?;
        self.ended = read == 0;

        match &mut self.decoder {
            None => {
                self.text
                    .extend(bytes[..read].iter().map(|byte| char::from(*byte)));
                Ok(())
            }
            Some(_) => self.decode_strictly(&bytes[..read]),
        }
    }

    /// Bytes that are no text end the reading: what they replaced is not known.
    fn decode_strictly(&mut self, mut bytes: &[u8]) -> Result<(), FileError> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(());
        };

        loop {
            let room = decoder
                .max_utf8_buffer_length_without_replacement(bytes.len())
                .unwrap_or(4 * CHUNK_BYTES);
            self.text.reserve(room);
            let (outcome, used) =
                decoder.decode_to_string_without_replacement(bytes, &mut self.text, self.ended);
            bytes = &bytes[used..];

            match outcome {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    return Err(FileError::NotText {
                        encoding: self.encoding,
                        line: self.line + 1 + count_line_ends(&self.text),
                    });
                }
            }
        }
    }
}

fn count_line_ends(text: &str) -> u64 {
    let ends = text.replace("\r\n", "\n").matches(['\n', '\r']).count();
    u64::try_from(ends).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines_of(bytes: &[u8], encoding: Option<TextEncoding>) -> Result<Vec<String>, FileError> {
        let mut lines = TextLines::new(std::io::Cursor::new(bytes.to_vec()), encoding);
        let mut found = Vec::new();
        while let Some((_, line)) = lines.next_line()? {
            found.push(line.to_owned());
        }
        Ok(found)
    }

    #[test]
    fn all_line_ends_end_a_line() {
        let found = lines_of(b"a\nb\r\nc\rd\r\re", None).unwrap();
        assert_eq!(found, ["a", "b", "c", "d", "", "e"]);
    }

    #[test]
    fn a_mark_says_the_encoding_and_is_no_text() {
        assert_eq!(lines_of(b"\xef\xbb\xbfTea", None).unwrap(), ["Tea"]);
        assert_eq!(lines_of(b"\xff\xfeT\0e\0a\0", None).unwrap(), ["Tea"]);
        assert_eq!(lines_of(b"\xfe\xff\0T\0e\0a", None).unwrap(), ["Tea"]);
    }

    #[test]
    fn a_code_page_is_read_where_the_map_names_it() {
        let tea = b"\xd7\xe0\xe9";
        assert_eq!(
            lines_of(tea, Some(TextEncoding::Windows1251)).unwrap(),
            ["Чай"]
        );
        let refused = lines_of(b"a\nb\n\xd7\xe0\xe9", None).unwrap_err();
        assert!(
            matches!(
                refused,
                FileError::NotText {
                    encoding: "utf-8",
                    line: 3
                }
            ),
            "{refused}"
        );
        assert_eq!(
            lines_of(b"1\xa0234", Some(TextEncoding::Iso8859_1)).unwrap(),
            ["1\u{a0}234"]
        );
    }

    #[test]
    fn a_line_without_end_is_refused_before_it_fills_the_memory() {
        let long = vec![b'a'; 2 * LINE_BYTES_MAX];
        assert!(matches!(
            lines_of(&long, None),
            Err(FileError::LongLine { line: 1 })
        ));
    }

    proptest! {
        #[test]
        fn lines_are_those_that_were_written(
            lines in prop::collection::vec("[^\r\n\u{0}\u{feff}]{0,40}", 0..20),
            end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        ) {
            let text: String = lines.iter().map(|line| format!("{line}{end}")).collect();
            prop_assert_eq!(lines_of(text.as_bytes(), None).unwrap(), lines);
        }

        #[test]
        fn hostile_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = lines_of(&bytes, None);
            let _ = lines_of(&bytes, Some(TextEncoding::Windows1251));
            let _ = lines_of(&bytes, Some(TextEncoding::Iso8859_1));
        }
    }
}
