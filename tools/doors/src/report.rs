//! What is printed of a walk: the doors on standard output, where it goes and the verdict on standard error.

use crate::network::Answer;
use crate::supply::moved;
use api_types::SupplyAnswer;
use serde_json::{Map, Value};

/// Of a long answer.
const CHARACTERS_MAX: usize = 180;
/// What is shown of a sale beside its shares.
const OF_A_SALE: [&str; 5] = ["status", "height", "issued", "not_issued", "refunded"];
/// What is shown of another transaction.
const OF_A_TRANSACTION: [&str; 3] = ["id", "status", "height"];
/// Under the name of who walks.
const INDENT: &str = "           ";

/// A heading.
pub fn group(title: &str) {
    println!("\n\x1b[1m{title}\x1b[0m");
}

/// Where the walk goes, and what came of it.
pub fn say(text: &str) {
    eprintln!("\x1b[1m== {text}\x1b[0m");
}

/// Who did what, how a program would do it, and what was answered.
pub fn door(who: &str, what: &str, command: &str, answer: &Answer) {
    let (status, code) = (answer.status, answer.code().unwrap_or_default());
    println!("{who:<10} {what:<62} {status} {code}");
    println!("{INDENT}{command}");
    println!("{INDENT}{}", shortly(&answer.text));
}

/// The end of an epoch, which nobody answers.
pub fn time(what: &str, command: &str) {
    println!("{:<10} {what:<62} 200 ", "time");
    println!("{INDENT}{command}");
}

/// Where units went.
pub fn moves(before: &SupplyAnswer, after: &SupplyAnswer) {
    let moved = moved(before, after);
    if !moved.is_empty() {
        println!("{INDENT}{moved}");
    }
}

/// What is not as written.
pub fn wrong(what: &str) {
    println!("\x1b[1;31m{INDENT}WRONG: {what}\x1b[0m");
}

/// A copy of the books.
pub fn books(url: &str, found: &str, wanted: &str) {
    println!("{url:<32} {found}");
    if found != wanted {
        println!("WRONG: expected {wanted}");
    }
}

fn shortly(text: &str) -> String {
    let short = match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => in_short(&fields).unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    };
    short.chars().take(CHARACTERS_MAX).collect()
}

/// Of a refusal its reason, of what stands in the ledger the little that tells one from another.
fn in_short(fields: &Map<String, Value>) -> Option<String> {
    if let Some(detail) = fields.get("detail") {
        return Some(
            detail
                .as_str()
                .map_or_else(|| detail.to_string(), str::to_owned),
        );
    }
    if let Some(shares) = fields.get("shares").and_then(Value::as_array) {
        let shares = Value::from_iter(shares.iter().map(share));
        let shares = format!("\"shares\":{shares}");
        return Some(object(picked(fields, &OF_A_SALE).chain([shares])));
    }

    let stands = fields.contains_key("transaction") || fields.contains_key("id");
    stands.then(|| object(picked(fields, &OF_A_TRANSACTION)))
}

fn picked(fields: &Map<String, Value>, names: &[&str]) -> impl Iterator<Item = String> {
    names.iter().filter_map(|name| {
        let value = fields.get(*name).filter(|value| !value.is_null())?;
        Some(format!("\"{name}\":{value}"))
    })
}

fn object(fields: impl Iterator<Item = String>) -> String {
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

fn share(share: &Value) -> String {
    let (kind, units) = (share["kind"].as_str().unwrap_or_default(), &share["units"]);
    let reversed = share["reversed"].as_u64().filter(|units| *units > 0);
    let reversed = reversed.map_or_else(String::new, |units| format!(" −{units}"));
    let released = if share["released"] == true {
        " released"
    } else {
        ""
    };
    format!("{kind} {units}{reversed}{released}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_are_shown_shortly() {
        let sale = json!({
            "status": "final", "height": 7, "issued": 100, "outlet": 1, "not_issued": null, "refunded": 0,
            "shares": [{"kind": "account", "units": 51, "released": true},
                {"kind": "pool", "units": 49, "reversed": 24, "released": false}],
        });
        assert_eq!(
            shortly(&sale.to_string()),
            r#"{"status":"final","height":7,"issued":100,"refunded":0,"shares":["account 51 released","pool 49 −24"]}"#
        );
        let transaction = json!({"height": 7, "id": "0xab", "status": "final", "transaction": {}});
        assert_eq!(
            shortly(&transaction.to_string()),
            r#"{"id":"0xab","status":"final","height":7}"#
        );
        let refusal = json!({"type": "urn:hotpot:problem:too_late", "detail": "it is too late"});
        assert_eq!(shortly(&refusal.to_string()), "it is too late");
        assert_eq!(shortly(&format!("[{}]", "1,".repeat(500))).len(), 180);
    }
}
