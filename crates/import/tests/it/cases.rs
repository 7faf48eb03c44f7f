//! Small inputs of a kind that hurt users of other tills, with their right answers, kept outside the repository.

use crate::look_at;
use import::{Map, Preview};
use std::path::{Path, PathBuf};

/// What is right for a file.
enum Right {
    /// So many sales of so much, so many refusals, and words that are said of them.
    Orders {
        sales: u64,
        total: u64,
        refused: u64,
        says: &'static str,
    },
    /// One message that says all of these.
    Refused(&'static [&'static str]),
}

use Right::{Orders, Refused};

/// Refusals that are printed with a case.
const SHOWN: usize = 2;

const fn orders(sales: u64, total: u64) -> Right {
    Orders {
        sales,
        total,
        refused: 0,
        says: "",
    }
}

const fn some(sales: u64, total: u64, refused: u64, says: &'static str) -> Right {
    Orders {
        sales,
        total,
        refused,
        says,
    }
}

/// Folder, file, map, and what is right.
const CASES: [(&str, &str, &str, Right); 37] = [
    (
        "P01-georgian-names",
        "orders.csv",
        "map.toml",
        orders(6, 15_400),
    ),
    (
        "P01-georgian-names",
        "cyrillic.csv",
        "map.toml",
        orders(2, 4_200),
    ),
    (
        "P02-decimal-quantities",
        "square-like.csv",
        "square-like.toml",
        some(3, 2_735, 1, "Refund"),
    ),
    (
        "P02-decimal-quantities",
        "loyverse-like.csv",
        "loyverse-like.toml",
        orders(2, 3_663),
    ),
    (
        "P03-voided-rows",
        "toast-like.csv",
        "toast-like.toml",
        orders(1, 1_600),
    ),
    (
        "P03-voided-rows",
        "loyverse-like.csv",
        "loyverse-like.toml",
        some(1, 500, 1, "Refund"),
    ),
    (
        "P04-numbers-begin-anew",
        "two-days.csv",
        "map.toml",
        some(0, 0, 2, "day_of"),
    ),
    (
        "P04-numbers-begin-anew",
        "a-year.csv",
        "map.toml",
        some(0, 0, 40, "day_of"),
    ),
    (
        "P05-three-decimals",
        "orders.csv",
        "map.toml",
        some(3, 125_275, 3, "numbers.decimal"),
    ),
    (
        "P05-three-decimals",
        "kwd.csv",
        "exponent3.toml",
        some(3, 1_244_250, 1, "at most 3 decimals"),
    ),
    (
        "P06-letters-in-prices",
        "orders.csv",
        "map.toml",
        some(3, 3_398, 10, "nothing but GEL"),
    ),
    (
        "P07-other-currencies",
        "orders.csv",
        "map.toml",
        some(1, 300, 5, "GEL"),
    ),
    (
        "P08-encodings",
        "utf8-bom.csv",
        "map.toml",
        orders(2, 2_100),
    ),
    ("P08-encodings", "bom.jsonl", "map.toml", orders(2, 1_000)),
    ("P08-encodings", "SALES.CSV", "map.toml", orders(2, 2_100)),
    ("P08-encodings", "sales.txt", "map.toml", orders(2, 2_100)),
    ("P08-encodings", "array.json", "map.toml", orders(1, 300)),
    (
        "P08-encodings",
        "windows-1251.csv",
        "map.toml",
        Refused(&["utf-8", "line 2"]),
    ),
    (
        "P08-encodings",
        "nbsp-latin1.csv",
        "map.toml",
        Refused(&["utf-8", "line 2"]),
    ),
    (
        "P08-encodings",
        "utf16le-bom.csv",
        "map.toml",
        orders(2, 2_100),
    ),
    ("P08-encodings", "old-mac.csv", "map.toml", orders(2, 2_100)),
    (
        "P08-encodings",
        "headers-with-spaces.csv",
        "map.toml",
        orders(1, 300),
    ),
    (
        "P08-encodings",
        "utf8-bom.csv",
        "map-bom.toml",
        orders(2, 2_100),
    ),
    ("P09-semicolons", "plain.csv", "map.toml", orders(2, 1_700)),
    (
        "P09-semicolons",
        "excel-europe.csv",
        "map.toml",
        orders(2, 1_700),
    ),
    (
        "P09-semicolons",
        "big.csv",
        "map.toml",
        orders(3_000, 2_400_000),
    ),
    (
        "P10-open-quote",
        "orders.csv",
        "map.toml",
        Refused(&["quote", "line 3"]),
    ),
    (
        "P10-open-quote",
        "closed-later.csv",
        "map.toml",
        Refused(&["quote", "line 2"]),
    ),
    ("P10-open-quote", "inches.tsv", "map.toml", orders(4, 3_900)),
    (
        "P11-report-rows",
        "footer-as-order.csv",
        "map.toml",
        orders(2, 1_700),
    ),
    (
        "P11-report-rows",
        "footer-empty.csv",
        "map.toml",
        orders(2, 1_700),
    ),
    (
        "P11-report-rows",
        "subtotals.csv",
        "map.toml",
        orders(1, 1_700),
    ),
    (
        "P11-report-rows",
        "preamble.csv",
        "map.toml",
        Refused(&["line 1", "header_line = 5"]),
    ),
    (
        "P14-dry-run-says-yes",
        "lines-501.csv",
        "map.toml",
        some(0, 0, 1, "at most 500 lines"),
    ),
    (
        "P14-dry-run-says-yes",
        "too-much.csv",
        "map.toml",
        some(1, 300, 1, "10000000000.00 GEL"),
    ),
    (
        "P14-dry-run-says-yes",
        "discount-row.csv",
        "map.toml",
        some(0, 0, 2, "below zero"),
    ),
    (
        "P14-dry-run-says-yes",
        "local-times.csv",
        "map-time.toml",
        some(3, 900, 5, "time.zone"),
    ),
];

fn cases_folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: {} is not here", folder.display());
    None
}

#[test]
fn files_of_other_tills_are_read_right_or_refused() {
    let Some(folder) = cases_folder() else { return };

    // The runner has written the test's name without an end of line.
    println!();
    let mut wrong = 0;
    for (case, file, map, right) in &CASES {
        let found = judge(&folder.join(case), file, map, right);
        let (verdict, text) = match &found {
            Ok(text) => ("ok", text),
            Err(text) => ("WRONG", text),
        };
        println!("{case}/{file} ({map}): {verdict}: {text}");
        wrong += usize::from(found.is_err());
    }
    assert_eq!(wrong, 0, "of {} cases", CASES.len());
}

fn judge(folder: &Path, file: &str, map: &str, right: &Right) -> Result<String, String> {
    let map = Map::read(&folder.join(map)).map_err(|error| error.to_string())?;
    let looked = look_at(&folder.join(file), &map);

    match (right, looked) {
        (Refused(words), Err(message)) => {
            let says_all = words.iter().all(|word| message.contains(word));
            if says_all { Ok(message) } else { Err(message) }
        }
        (Refused(_), Ok((_, preview))) => Err(format!("{} sales were read", preview.sales)),
        (Orders { .. }, Err(message)) => Err(message),
        (
            Orders {
                sales,
                total,
                refused,
                says,
            },
            Ok((_, preview)),
        ) => {
            let text = describe(&preview);
            let counts = (preview.sales, preview.total(), preview.rejected);
            let is_right = counts == (*sales, *total, *refused) && text.contains(says);
            if is_right { Ok(text) } else { Err(text) }
        }
    }
}

fn describe(preview: &Preview) -> String {
    let refusals: Vec<String> = preview
        .first_rejected
        .iter()
        .take(SHOWN)
        .map(|refused| {
            format!(
                "{}: found {:?}, allowed: {}",
                refused.field, refused.found, refused.allowed
            )
        })
        .collect();
    format!(
        "{} sales, {} of the smallest unit, {} refused; {}",
        preview.sales,
        preview.total(),
        preview.rejected,
        refusals.join("; ")
    )
}

#[test]
fn a_dry_run_says_what_is_too_old_for_the_network() {
    let Some(folder) = cases_folder() else { return };
    let folder = folder.join("P14-dry-run-says-yes");
    let map = Map::read(&folder.join("map-time.toml")).unwrap();
    let (_, preview) = look_at(&folder.join("old-times.csv"), &map).unwrap();
    assert_eq!((preview.sales, preview.foreseen), (1, 1));
    assert!(preview.first_foreseen[0].allowed.contains("72 hours"));
    println!();
    println!(
        "P14-dry-run-says-yes/old-times.csv (map-time.toml): ok: {:?}",
        preview.first_foreseen[0]
    );
}

fn examples_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn read_all(file: &Path, map: &str, sales: u64) {
    let map = Map::read(&examples_folder().join(map)).unwrap();
    let (_, preview) = look_at(file, &map).unwrap();
    assert_eq!(
        (preview.sales, preview.rejected),
        (sales, 0),
        "{:?}",
        preview.first_rejected
    );
}

#[test]
fn real_orders_are_no_sums_of_each_other() {
    let Some(folder) = cases_folder() else { return };
    let file = folder.join("../data/chipotle_orders.tsv");
    read_all(&file, "chipotle.toml", 1_834);
}

#[test]
fn the_example_is_read_without_a_refusal() {
    read_all(&examples_folder().join("georgia.csv"), "georgia.toml", 60);
}
