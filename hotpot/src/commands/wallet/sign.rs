//! `hotpot wallet sign` and `approve`.

use super::args::{ApproveArgs, Nonce, SignArgs};
use super::draft::{Draft, Signed};
use super::keys;
use super::network::Network;
use anyhow::Result;
use domain::{B256, Signature};

/// `hotpot wallet sign`.
pub async fn sign(args: &SignArgs) -> Result<()> {
    let text = keys::read_text(&args.transaction)?;
    let key = keys::signer(&args.key, &args.unlock, &args.which)?;
    let draft = Draft::read(&text, &key)?;
    let network = Network::of(&args.network).await?;

    let nonce = match (&draft, args.nonce) {
        (Draft::NeedsNonce(_), Nonce::Next) => network.next_nonce(wallet::address(&key)).await?,
        (_, Nonce::Is(nonce)) => nonce,
        (_, Nonce::Next) => 0,
    };

    print_or_send(
        &draft.sign(&key, &network.domain, nonce)?,
        &network,
        args.send,
    )
    .await
}

/// Prints what was signed, or sends it and prints the answer.
pub async fn print_or_send(signed: &Signed, network: &Network, send: bool) -> Result<()> {
    let text = match signed {
        _ if !send => signed.to_json()?,
        Signed::Sale(sale) => serde_json::to_string(&network.node.post_sale(sale).await?.1)?,
        Signed::Other(transaction) => {
            serde_json::to_string(&network.node.post_transaction(transaction).await?.1)?
        }
    };
    println!("{text}");
    Ok(())
}

/// `hotpot wallet approve`.
pub async fn approve(args: &ApproveArgs) -> Result<()> {
    let key = keys::signer(&args.key, &args.unlock, &args.which)?;
    let network = Network::of(&args.network).await?;

    let reference = args
        .approval_ref
        .unwrap_or_else(|| B256::from(rand::random::<[u8; 32]>()));
    let digest =
        network
            .domain
            .approval_digest(args.outlet, args.owner, reference, args.expires_at);

    let fields = serde_json::json!({
        "approval_ref": reference,
        "approval_expires_at_ms": args.expires_at,
        "approval_signature": Signature::sign(digest, &key),
    });
    println!("{fields}");
    Ok(())
}
