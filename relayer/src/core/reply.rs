//! What an endpoint's refusal of a transaction means. Nodes agree on neither codes nor texts, so both are looked at.

/// What became of `eth_sendRawTransaction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// In the pool, now or before.
    Sent,
    /// The nonce is used: by one of our hashes, or by somebody else with our key.
    NonceTooLow,
    /// Another transaction of this nonce offers more, or the offer is below what the endpoint takes: raise it.
    Underpriced {
        /// The least tip that it takes, in wei, if it says so.
        tip_min: Option<u128>,
    },
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
        "replacementnotallowed",
        "below configured minimum",
    ]) {
        return Reply::Underpriced {
            tip_min: least_tip(&message),
        };
    }

    if says(&[
        "insufficient funds",
        "insufficient balance",
        "insufficientfunds",
        "upfront cost exceeds",
    ]) {
        return Reply::NoFunds;
    }

    if code == CODE_TRANSACTION_REJECTED && message.is_empty() {
        Reply::Sent
    } else {
        Reply::Refused
    }
}

/// The number in `minimum needed 25000000000` or `tip needed 25000000000`.
fn least_tip(message: &str) -> Option<u128> {
    let (_, rest) = message
        .split_once("minimum needed ")
        .or_else(|| message.split_once("tip needed "))?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Whether a refused estimate says that the call itself would fail, rather than that the endpoint cannot tell now.
pub(crate) fn is_revert(code: i64, message: &str) -> bool {
    const CODE_REVERTED: i64 = 3;
    let message = message.to_lowercase();
    let texts = [
        "revert",
        "vm exception",
        "vm execution error",
        "always failing transaction",
        "gas required exceeds",
        "out of gas",
        "invalid opcode",
    ];
    code == CODE_REVERTED || texts.iter().any(|text| message.contains(text))
}

/// Whether an endpoint says that it does not have a method.
pub(crate) fn is_unknown_method(code: i64, message: &str) -> bool {
    const CODE_METHOD_NOT_FOUND: i64 = -32601;
    let message = message.to_lowercase();
    code == CODE_METHOD_NOT_FOUND || message.contains("method not found")
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNDERPRICED: Reply = Reply::Underpriced { tip_min: None };

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
            (-32000, "replacement transaction underpriced", UNDERPRICED),
            (
                -32000,
                "transaction underpriced: tip needed 1, tip permitted 0",
                Reply::Underpriced { tip_min: Some(1) },
            ),
            (
                -32000,
                "transaction underpriced: gas tip cap 12, minimum needed 25000000000",
                Reply::Underpriced {
                    tip_min: Some(25_000_000_000),
                },
            ),
            (
                -32010,
                "ReplacementNotAllowed, MaxFeePerGas too low",
                UNDERPRICED,
            ),
            (
                -32009,
                "Gas price below configured minimum gas price",
                UNDERPRICED,
            ),
            (
                -32010,
                "InsufficientFunds, Account balance: 0, cumulative cost: 1",
                Reply::NoFunds,
            ),
            (
                -32004,
                "Upfront cost exceeds account balance",
                Reply::NoFunds,
            ),
            (
                -32000,
                "max fee per gas less than block base fee: address 0x…",
                UNDERPRICED,
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

    #[test]
    fn an_endpoint_that_cannot_tell_now_says_nothing_about_a_call() {
        assert!(is_revert(3, "execution reverted: WrongEpoch"));
        assert!(is_revert(
            -32000,
            "gas required exceeds allowance (30000000)"
        ));

        for message in [
            "daily request count exceeded, request rate limited",
            "internal error",
            "header not found",
        ] {
            assert!(!is_revert(-32005, message), "{message}");
            assert!(!is_unknown_method(-32005, message), "{message}");
        }
    }
}
