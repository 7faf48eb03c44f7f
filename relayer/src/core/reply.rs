//! What an endpoint's refusal of a transaction means. Nodes agree on neither codes nor texts, so both are looked at.

/// What became of `eth_sendRawTransaction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// In the pool, now or before.
    Sent,
    /// The nonce is used: by one of our hashes, or by somebody else with our key.
    NonceTooLow,
    /// Another transaction of this nonce offers more, or the offer is below the base fee: raise it.
    Underpriced,
    /// The signer cannot pay.
    NoFunds,
    /// Anything else: try again later.
    Refused,
}

/// EIP-1474's code for a rejected transaction, used by some nodes for a known one with an empty text.
const CODE_TRANSACTION_REJECTED: i64 = -32003;

/// Reads an error answer.
pub(crate) fn classify_error(code: i64, message: &str) -> Reply {
    let message = message.to_lowercase();
    let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));

    if says(&[
        "already known",
        "alreadyknown",
        "already imported",
        "known transaction",
        "already in mempool",
        "already exists",
    ]) {
        return Reply::Sent;
    }

    if says(&[
        "nonce too low",
        "nonce is too low",
        "oldnonce",
        "invalid transaction nonce",
    ]) {
        return Reply::NonceTooLow;
    }

    if says(&[
        "underpriced",
        "less than block base fee",
        "fee too low",
        "gas price too low",
        "feetoolow",
    ]) {
        return Reply::Underpriced;
    }

    if says(&["insufficient funds", "insufficient balance"]) {
        return Reply::NoFunds;
    }

    if code == CODE_TRANSACTION_REJECTED && message.is_empty() {
        Reply::Sent
    } else {
        Reply::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_usual_nodes_are_understood() {
        let cases = [
            (-32000, "already known", Reply::Sent),
            (-32003, "transaction already imported", Reply::Sent),
            (-32010, "AlreadyKnown", Reply::Sent),
            (
                -32000,
                "nonce too low: next nonce 5, tx nonce 3",
                Reply::NonceTooLow,
            ),
            (-32003, "nonce too low", Reply::NonceTooLow),
            (-32603, "Nonce too low", Reply::NonceTooLow),
            (
                -32000,
                "replacement transaction underpriced",
                Reply::Underpriced,
            ),
            (
                -32000,
                "transaction underpriced: tip needed 1, tip permitted 0",
                Reply::Underpriced,
            ),
            (
                -32000,
                "max fee per gas less than block base fee: address 0x…",
                Reply::Underpriced,
            ),
            (
                -32000,
                "insufficient funds for gas * price + value",
                Reply::NoFunds,
            ),
            (
                -32003,
                "Insufficient funds for gas * price + value",
                Reply::NoFunds,
            ),
            (-32005, "rate limit exceeded", Reply::Refused),
        ];
        for (code, message, expected) in cases {
            assert_eq!(classify_error(code, message), expected, "{code} {message}");
        }
    }
}
