//! What is signed and sent, as JSON.

use anyhow::{Context, Result};
use serde_json::{Map, Value};

/// A transaction or a sale that is to be signed, or to be sent with another signature than its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft(Map<String, Value>);

impl Draft {
    /// Fields of a `json!` object; anything else is a draft without fields.
    pub fn of(value: Value) -> Self {
        match value {
            Value::Object(fields) => Self(fields),
            _ => Self(Map::new()),
        }
    }

    /// One field set.
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0.insert(field.to_owned(), value.into());
        self
    }

    /// One field of a sale's first line set.
    pub fn with_in_line(mut self, field: &str, value: impl Into<Value>) -> Self {
        let line = self.0.get_mut("lines").and_then(|lines| lines.get_mut(0));
        if let Some(line) = line.and_then(Value::as_object_mut) {
            line.insert(field.to_owned(), value.into());
        }
        self
    }

    /// A number grown.
    pub fn plus(self, field: &str, by: u64) -> Self {
        let now = self.0.get(field).and_then(Value::as_u64);
        self.with(field, now.unwrap_or_default().saturating_add(by))
    }

    /// One field taken out.
    pub fn without(mut self, field: &str) -> Self {
        self.0.remove(field);
        self
    }

    /// In one line.
    pub fn to_text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

/// What lies in NAME.json in the walk's folder, ready to be sent.
#[derive(Clone, Debug)]
pub struct Document {
    name: &'static str,
    text: String,
    fields: Map<String, Value>,
}

impl Document {
    /// Any text; what is no JSON object has no fields.
    pub fn new(name: &'static str, text: String) -> Self {
        let fields = serde_json::from_str(&text).unwrap_or_default();
        Self { name, text, fields }
    }

    /// Its name, from which the id of a sale or a refund follows.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What is sent.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A sale comes with its lines.
    pub fn is_sale(&self) -> bool {
        self.fields.contains_key("lines")
    }

    /// The same without its signature, to be changed and signed anew.
    pub fn unsigned(&self) -> Draft {
        self.forged().without("signature")
    }

    /// The same with its signature, to be changed and sent all the same.
    pub fn forged(&self) -> Draft {
        Draft(self.fields.clone())
    }

    /// A field that is a text.
    pub fn text_of(&self, field: &str) -> Result<&str> {
        let text = self.fields.get(field).and_then(Value::as_str);
        text.with_context(|| format!("{}.json has no {field}", self.name))
    }

    /// A field that is a number.
    pub fn number_of(&self, field: &str) -> Result<u64> {
        let number = self.fields.get(field).and_then(Value::as_u64);
        number.with_context(|| format!("{}.json has no {field}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_signed_is_changed_and_signed_anew() {
        let text = json!({"total": 7, "lines": [{"name": "tea"}], "nonce": 3, "signature": "0x"});
        let signed = Document::new("sale", text.to_string());

        let changed = signed
            .unsigned()
            .plus("total", 1)
            .with_in_line("name", "wine")
            .without("nonce");

        let wanted = json!({"total": 8, "lines": [{"name": "wine"}]});
        assert_eq!(changed, Draft::of(wanted));
        assert!(signed.is_sale() && signed.text_of("total").is_err());
    }
}
