//! JSON lines and JSON arrays as rows. Numbers keep the digits that the file has: none passes through a float.

use crate::file::{COLUMNS_MAX, FileError, Row};
use crate::text::TextLines;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeSeed};
use serde_json::value::RawValue;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

type Each<'e> = &'e mut dyn FnMut(&Row) -> Result<(), FileError>;

/// One object: its keys, the text of their values, and whether that is a number.
struct Object(Vec<(String, String, bool)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
        let mut entries: Vec<(String, String, bool)> = Vec::new();
        while let Some((key, value)) = access.next_entry::<String, Box<RawValue>>()? {
            if entries.len() >= COLUMNS_MAX {
                return Err(A::Error::custom(format!("more than {COLUMNS_MAX} keys")));
            }
            if entries.iter().any(|(known, ..)| *known == key) {
                return Err(A::Error::custom(format!("the key {key:?} stands twice")));
            }
            let raw = value.get();
            let is_number = raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
            entries.push((key, text_of_value(raw), is_number));
        }
        Ok(Object(entries))
    }
}

/// The text of a string, nothing for `null`, and the digits of a number as they stand.
fn text_of_value(raw: &str) -> String {
    match raw {
        "null" => String::new(),
        _ if raw.starts_with('"') => serde_json::from_str(raw).unwrap_or_default(),
        _ => raw.to_owned(),
    }
}

/// The keys of all objects, in the order in which they are met.
pub(crate) fn read_columns(path: &Path, is_lines: bool) -> Result<Vec<String>, FileError> {
    let mut columns: Vec<String> = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut add = |line: u64, object: &Object| {
        for (key, ..) in &object.0 {
            if known.insert(key.clone()) {
                columns.push(key.clone());
            }
        }
        if columns.len() > COLUMNS_MAX {
            return Err(bad_json(line, format!("more than {COLUMNS_MAX} keys")));
        }
        Ok(())
    };

    if is_lines {
        each_line(path, &mut add)?;
    } else {
        each_element(path, &mut add)?;
    }

    Ok(columns)
}

/// The rows of a file with one object a line.
pub(crate) fn for_each_line(
    path: &Path,
    header: &[String],
    each: Each<'_>,
) -> Result<(), FileError> {
    let mut row = Row::default();
    each_line(path, &mut |line, object| {
        fill_row(&mut row, line, object, header);
        each(&row)
    })
}

/// The rows of a file with one array of objects; a row's line is the object's number.
pub(crate) fn for_each_element(
    path: &Path,
    header: &[String],
    each: Each<'_>,
) -> Result<(), FileError> {
    let mut row = Row::default();
    each_element(path, &mut |number, object| {
        fill_row(&mut row, number, object, header);
        each(&row)
    })
}

fn fill_row(row: &mut Row, line: u64, object: &Object, header: &[String]) {
    row.line = line;
    row.cells.clear();
    row.json_numbers.clear();
    for (place, column) in header.iter().enumerate() {
        let found = object.0.iter().find(|(key, ..)| key == column);
        row.cells
            .push_field(found.map_or("", |(_, value, _)| value));
        if found.is_some_and(|(.., is_number)| *is_number) {
            row.json_numbers.push(place);
        }
    }
}

type EachObject<'e> = &'e mut dyn FnMut(u64, &Object) -> Result<(), FileError>;

fn each_line(path: &Path, each: EachObject<'_>) -> Result<(), FileError> {
    let mut lines = TextLines::new(File::open(path)?, None);
    while let Some((line, text)) = lines.next_line()? {
        if text.trim().is_empty() {
            continue;
        }
        let object =
            serde_json::from_str(text).map_err(|error| explain_line(line, text, &error))?;
        each(line, &object)?;
    }
    Ok(())
}

fn explain_line(line: u64, text: &str, error: &serde_json::Error) -> FileError {
    let hint = if text.trim_start().starts_with('[') {
        "; this looks like a JSON array, whose file's name ends in .json"
    } else {
        ""
    };
    bad_json(line, format!("expected a JSON object: {error}{hint}"))
}

fn each_element(path: &Path, each: EachObject<'_>) -> Result<(), FileError> {
    let mut reader = BufReader::new(File::open(path)?);
    skip_mark(&mut reader)?;

    let stopped = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let elements = Elements {
        each: RefCell::new(each),
        stopped: &stopped,
    };
    let read = elements
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end());

    match (stopped.into_inner(), read) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => Err(bad_json(
            u64::try_from(error.line()).unwrap_or(0),
            format!("expected a JSON array of objects: {error}"),
        )),
    }
}

/// Passes over the byte order mark of UTF-8.
fn skip_mark(reader: &mut BufReader<File>) -> Result<(), FileError> {
    use std::io::BufRead;
    if reader.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        reader.read_exact(&mut [0; 3])?;
    }
    Ok(())
}

/// Hands out the elements of an array while it is read.
struct Elements<'a, 'e> {
    each: RefCell<EachObject<'e>>,
    stopped: &'a RefCell<Option<FileError>>,
}

impl<'de> DeserializeSeed<'de> for Elements<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(object) = access.next_element::<Object>()? {
            number += 1;
            if let Err(error) = (self.each.borrow_mut())(number, &object) {
                *self.stopped.borrow_mut() = Some(error);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

const fn bad_json(line: u64, problem: String) -> FileError {
    FileError::BadJson { line, problem }
}
