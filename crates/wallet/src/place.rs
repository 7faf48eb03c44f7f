//! A stranger's JSON, read value by value, so that every error says where and shows nothing that may be a secret.

use crate::v3::KeystoreError;
use serde_json::Value;

/// The longest text that an error repeats: names of ciphers fit, keys do not.
const SHOWN_CHARS_MAX: usize = 16;

/// A value of the JSON, or its absence, with the names that lead to it.
pub(crate) struct Place<'v> {
    path: String,
    value: Option<&'v Value>,
}

impl<'v> Place<'v> {
    /// The whole document.
    pub(crate) const fn root(value: &'v Value) -> Self {
        Self {
            path: String::new(),
            value: Some(value),
        }
    }

    /// A field of an object. The case of its name does not matter, as for ethers; null is the same as nothing.
    pub(crate) fn child(&self, name: &str) -> Self {
        let fields = self.value.and_then(Value::as_object);
        let same_letters =
            |(key, value): (&String, &'v Value)| key.eq_ignore_ascii_case(name).then_some(value);

        let exact = fields.and_then(|fields| fields.get(name));
        let found = exact.or_else(|| fields?.iter().find_map(same_letters));
        let dot = if self.path.is_empty() { "" } else { "." };
        Self {
            path: [&self.path, dot, name].concat(),
            value: found.filter(|value| !value.is_null()),
        }
    }

    /// Whether there is anything.
    pub(crate) const fn is_given(&self) -> bool {
        self.value.is_some()
    }

    /// Whether it has fields.
    pub(crate) fn is_object(&self) -> bool {
        self.value.is_some_and(Value::is_object)
    }

    /// A text, whatever it says.
    pub(crate) fn text(&self, allowed: &'static str) -> Result<&'v str, KeystoreError> {
        self.value
            .and_then(Value::as_str)
            .ok_or_else(|| self.wrong(allowed))
    }

    /// A natural number. Some tools write it as text, some with `.0` behind it.
    pub(crate) fn number<N: TryFrom<u64>>(
        &self,
        allowed: &'static str,
    ) -> Result<N, KeystoreError> {
        let digits = match self.value {
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) => text.trim().to_owned(),
            _ => String::new(),
        };
        let digits = digits.strip_suffix(".0").unwrap_or(&digits);

        digits
            .parse::<u64>()
            .ok()
            .and_then(|number| N::try_from(number).ok())
            .ok_or_else(|| self.wrong(allowed))
    }

    /// Hex digits in any case, with or without `0x`.
    pub(crate) fn bytes(&self, allowed: &'static str) -> Result<Vec<u8>, KeystoreError> {
        let digits = crate::hex_digits(self.text(allowed)?);
        hex::decode(digits).map_err(|_| self.wrong(allowed))
    }

    /// Hex digits of a value whose length is fixed.
    pub(crate) fn array<const N: usize>(
        &self,
        allowed: &'static str,
    ) -> Result<[u8; N], KeystoreError> {
        let bytes = self.bytes(allowed)?;
        <[u8; N]>::try_from(bytes.as_slice()).map_err(|_| self.wrong(allowed))
    }

    /// One of some names, in any case.
    pub(crate) fn one_of<T: Copy>(
        &self,
        names: &[(&str, T)],
        allowed: &'static str,
    ) -> Result<T, KeystoreError> {
        let found = self.text(allowed)?;
        names
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(found))
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| self.wrong(allowed))
    }

    /// The value is not what it may be.
    pub(crate) fn wrong(&self, allowed: &'static str) -> KeystoreError {
        KeystoreError::Field {
            field: self.path.clone(),
            found: describe_value(self.value),
            allowed,
        }
    }
}

/// What an error may say of a value: a number, or a short name.
fn describe_value(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "missing".into(),
        Some(Value::Bool(_)) => "true or false".into(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) if is_name(text) => text.clone(),
        Some(Value::String(text)) => format!("a text of {} characters", text.chars().count()),
        Some(Value::Array(_)) => "a list".into(),
        Some(Value::Object(_)) => "an object".into(),
    }
}

fn is_name(text: &str) -> bool {
    (1..=SHOWN_CHARS_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
