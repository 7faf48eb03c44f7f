//! Addresses that hold a key, and texts that quote them.

use crate::error::in_full;
use serde::{Deserialize, Serialize, Serializer};
use std::error::Error;
use std::fmt::{Debug, Display, Formatter};

/// An address whose path, query or user may be a key: of it only scheme, host and port are shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// Wraps an address as it was configured; whether it is one is found out where it is used.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The whole address, where it is asked and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether none is configured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Display for SecretUrl {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let parsed = url::Url::parse(&self.0).ok();
        let host = parsed.as_ref().and_then(url::Url::host_str);
        let Some((url, host)) = parsed.as_ref().zip(host) else {
            return f.write_str("…");
        };

        write!(f, "{}://{host}", url.scheme())?;
        url.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Debug for SecretUrl {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretUrl({self})")
    }
}

/// As [`crate::Secret`] does: what is written down of a configuration has no secrets in it.
impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("")
    }
}

/// An error with all its causes, for a log or an answer: addresses in it are cut down to scheme, host and port.
pub fn scrub_error(error: &dyn Error) -> String {
    scrub_text(&in_full(error))
}

/// A text whose addresses are cut down to scheme, host and port.
pub fn scrub_text(text: &str) -> String {
    let mut scrubbed = String::with_capacity(text.len());
    let mut rest = text;

    while let Some(place) = rest.find("://") {
        let (before, from) = rest.split_at(place + "://".len());
        let length = from.find(ends_address).unwrap_or(from.len());
        let (address, after) = from.split_at(length);

        // What closes the sentence is no part of it.
        let bare = address.trim_end_matches([')', ']', '}', '.', ',', ';', ':']);
        scrubbed.push_str(before);
        scrubbed.push_str(shown_part(bare));
        scrubbed.push_str(&address[bare.len()..]);
        rest = after;
    }

    scrubbed.push_str(rest);
    scrubbed
}

fn ends_address(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '"' | '\'' | '`' | '<' | '>')
}

/// Host and port. Where it is not plain which part is the host, nothing is shown.
fn shown_part(address: &str) -> &str {
    let length = address.find(['/', '?', '#', '\\']).unwrap_or(address.len());
    let (authority, path) = address.split_at(length);
    if path.contains('@') {
        return "…";
    }

    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "s3cret";

    #[test]
    fn an_address_shows_scheme_host_and_port_alone() {
        let shown = |url: &str| format!("{0} {0:?}", SecretUrl::new(url));

        let of_provider = shown("https://user:s3cret@rpc.example:8443/v2/s3cret?key=s3cret#s3cret");
        assert_eq!(
            of_provider,
            "https://rpc.example:8443 SecretUrl(https://rpc.example:8443)"
        );
        assert_eq!(
            shown("http://[::1]:8545/x"),
            "http://[::1]:8545 SecretUrl(http://[::1]:8545)"
        );
        assert!(!shown("s3cret").contains(KEY));
        assert!(!shown("data:s3cret").contains(KEY));
    }

    #[test]
    fn a_text_keeps_everything_but_the_keys() {
        let said = "error sending request for url (https://rpc.example/v2/s3cret): timed out";
        assert_eq!(
            scrub_text(said),
            "error sending request for url (https://rpc.example): timed out"
        );

        for text in [
            "\"wss://s3cret@a.example:1/s3cret\" and http://b.example?k=s3cret, https://c.example#s3cret.",
            "postgres://u:s3/cret-s3cret@db/x",
            "https://d.example/(s3cret)/s3cret",
            "https://d.example/a,s3cret;s3cret",
        ] {
            let scrubbed = scrub_text(text);
            assert!(!scrubbed.contains(KEY), "{scrubbed}");
        }
        assert_eq!(scrub_text("no address: // here"), "no address: // here");
    }

    proptest::proptest! {
        #[test]
        fn no_text_keeps_a_key_behind_a_host(before in ".{0,20}", after in ".{0,20}") {
            let scrubbed = scrub_text(&format!("{before}https://h.example/{KEY} {after}"));
            proptest::prop_assert!(!scrubbed.contains(KEY) || before.contains(KEY) || after.contains(KEY));
        }
    }
}
