//! What the usual exports of well-known tills look like, so that a map need not say it.

use crate::map::MapError;
use toml::{Table, Value};

/// Each preset with its text. Column names are those of the tills' public documentation; the source stands in each file.
const PRESETS: [(&str, &str); 8] = [
    ("square-items", include_str!("presets/square-items.toml")),
    (
        "square-transactions",
        include_str!("presets/square-transactions.toml"),
    ),
    ("toast-items", include_str!("presets/toast-items.toml")),
    ("clover-items", include_str!("presets/clover-items.toml")),
    (
        "loyverse-items",
        include_str!("presets/loyverse-items.toml"),
    ),
    (
        "lightspeed-items",
        include_str!("presets/lightspeed-items.toml"),
    ),
    ("poster-items", include_str!("presets/poster-items.toml")),
    ("iiko-items", include_str!("presets/iiko-items.toml")),
];

/// The names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// The text of a preset.
pub fn text(name: &str) -> Option<&'static str> {
    let found = PRESETS.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}

/// A map with all that a preset says and the map itself does not.
pub(crate) fn fill_in(name: &str, own: Table) -> Result<Table, MapError> {
    let Some(text) = text(name) else {
        let known: Vec<&str> = names().collect();
        return Err(MapError::Field {
            field: "preset",
            problem: format!("found {name:?}, allowed: {}", known.join(", ")),
        });
    };

    let mut filled: Table = toml::from_str(text)?;
    merge_tables(&mut filled, own);
    Ok(filled)
}

/// Tables are merged, rules for rows are joined, any other value of `own` stands in the place of the preset's.
fn merge_tables(preset: &mut Table, own: Table) {
    for (key, value) in own {
        match (preset.get_mut(&key), value) {
            (Some(Value::Table(preset)), Value::Table(own)) => merge_tables(preset, own),
            // The map's own rules come first; those of the preset stay.
            (Some(Value::Array(preset)), Value::Array(mut own)) if key == "rows" => {
                own.append(preset);
                *preset = own;
            }
            (_, value) => {
                preset.insert(key, value);
            }
        }
    }
}
