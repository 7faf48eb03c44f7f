//! What an endpoint's answer to a block tag says. Whoever asks how far the EVM chain is final needs it: an error taken
//! for "there is no such tag" makes blocks final by a depth, and what is final never goes back.

/// JSON-RPC: the parameters are refused. They are a tag and a flag, so it is the tag that is not understood.
const INVALID_PARAMS: i64 = -32602;
/// The execution API's own code for a tag that stands at no block.
const UNKNOWN_BLOCK: i64 = -39001;
/// A refusal that is about the tag has one of these words.
const TAG_WORDS: [&str; 4] = ["finalized", "safe", "tag", "tags"];
/// One that says that the tag is not known, or stands at no block, has one of these phrases.
const DENIALS: [&str; 6] = [
    "not found",
    "not supported",
    "not a supported",
    "unsupported",
    "not available",
    "unknown",
];

/// What `eth_getBlockByNumber` answered to a tag such as `finalized`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagAnswer<'a> {
    /// A block, by its number.
    Block(u64),
    /// `null`.
    Null,
    /// A JSON-RPC error.
    Refused {
        /// The error's code.
        code: i64,
        /// The error's message.
        message: &'a str,
    },
    /// None in time, or none that can be read.
    Unanswered,
}

/// What follows from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// The tag stands at this block.
    At(u64),
    /// The endpoint plainly has no such tag: a depth may stand in for it.
    Absent,
    /// Nothing: the question has to be repeated, and no further block is final until it is answered.
    Unclear,
}

/// Reads an answer. `was_seen`: the tag stood at a block before, so that its absence is no property of the chain.
pub fn read_tag(answer: TagAnswer<'_>, was_seen: bool) -> Tag {
    match answer {
        TagAnswer::Block(number) => Tag::At(number),
        TagAnswer::Null if !was_seen => Tag::Absent,
        TagAnswer::Refused { code, message } if !was_seen && denies_tag(code, message) => {
            Tag::Absent
        }
        TagAnswer::Null | TagAnswer::Refused { .. } | TagAnswer::Unanswered => Tag::Unclear,
    }
}

/// Whether a refusal plainly says that the tag is not known or stands at no block. Clients agree on no text.
fn denies_tag(code: i64, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let is_about_the_tag = message
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| TAG_WORDS.contains(&word));
    let denies = DENIALS.iter().any(|phrase| message.contains(*phrase));

    matches!(code, INVALID_PARAMS | UNKNOWN_BLOCK) || is_about_the_tag && denies
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i64, message: &str) -> Tag {
        read_tag(TagAnswer::Refused { code, message }, false)
    }

    #[test]
    fn what_clients_without_the_tag_say_means_that_there_is_none() {
        let said = [
            (-32000, "finalized block not found"),
            (-32000, "'finalized' tag not supported on pre-merge network"),
            (-32602, "invalid argument 0: hex string without 0x prefix"),
            (-32602, "unsupported block tag: finalized"),
            (-39001, "Unknown block"),
            (
                -32000,
                "block \"finalized\" not available (head block: 21459236)",
            ),
            (-32000, "TAG [earliest | pending | finalized] not supported"),
        ];
        for (code, message) in said {
            assert_eq!(refused(code, message), Tag::Absent, "{code} {message}");
        }
        assert_eq!(read_tag(TagAnswer::Null, false), Tag::Absent);
    }

    #[test]
    fn an_error_is_no_missing_tag() {
        let said = [
            (-32005, "daily request count exceeded, request rate limited"),
            (-32603, "Internal error"),
            (-32000, "header not found"),
            (-32000, "execution timeout"),
            (-32000, "outage: the upstream node is not available"),
            (
                -32601,
                "the method eth_getBlockByNumber does not exist/is not available",
            ),
            (429, "Too Many Requests"),
        ];
        for (code, message) in said {
            assert_eq!(refused(code, message), Tag::Unclear, "{code} {message}");
        }
        assert_eq!(read_tag(TagAnswer::Unanswered, false), Tag::Unclear);
    }

    #[test]
    fn a_tag_that_was_there_is_not_given_up() {
        let gone = TagAnswer::Refused {
            code: -32000,
            message: "finalized block not found",
        };
        assert_eq!(read_tag(gone, true), Tag::Unclear);
        assert_eq!(read_tag(TagAnswer::Null, true), Tag::Unclear);
        assert_eq!(read_tag(TagAnswer::Block(7), true), Tag::At(7));
        assert_eq!(read_tag(TagAnswer::Block(7), false), Tag::At(7));
    }
}
