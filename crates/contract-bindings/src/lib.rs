//! Typed bindings of the contracts, made from the committed ABI and creation code (`contracts/abi/`), and what all that
//! read the EVM chain have to conclude alike: [`finality`].

#![allow(
    missing_docs,
    clippy::too_many_arguments,
    reason = "generated from the ABI, documented in Solidity"
)]

pub mod finality;

alloy::sol!(
    #[sol(rpc, all_derives)]
    #[derive(serde::Serialize, serde::Deserialize)]
    FranchiseToken,
    "../../contracts/abi/FranchiseToken.json"
);

alloy::sol!(
    #[sol(rpc, all_derives)]
    #[derive(serde::Serialize, serde::Deserialize)]
    CheckpointAnchor,
    "../../contracts/abi/CheckpointAnchor.json"
);
