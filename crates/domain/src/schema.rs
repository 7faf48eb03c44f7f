//! How values that other crates define look in JSON, for the description of the HTTP API (feature `schema`).
//! `build.rs` names which type is described by which of these.

#![allow(dead_code, reason = "descriptions, of which no value is ever made")]

use utoipa::ToSchema;

/// An account or contract: 20 bytes.
#[derive(ToSchema)]
#[schema(
    as = Address,
    value_type = String,
    pattern = "^0x[0-9a-fA-F]{40}$",
    examples("0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a")
)]
pub struct AddressText(String);

/// A hash, an id or a salt: 32 bytes.
#[derive(ToSchema)]
#[schema(
    as = Hash,
    value_type = String,
    pattern = "^0x[0-9a-fA-F]{64}$",
    examples("0xb3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3")
)]
pub struct HashText(String);

/// A compressed secp256k1 public key: 33 bytes.
#[derive(ToSchema)]
#[schema(as = PublicKey, value_type = String, pattern = "^0x0[23][0-9a-fA-F]{64}$")]
pub struct PublicKeyText(String);
