//! From a password to a key, at a cost that the file names and that is bounded here.

use crate::place::Place;
use crate::v3::KeystoreError;
use hmac::Hmac;
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

/// Bytes of the derived key as the format counts them; ethers takes as many more for the mnemonic.
pub(crate) const DKLEN: usize = 32;
/// A file may not ask for more memory, nor for more work: hostile files would stop the machine.
const SCRYPT_BYTES_MAX: u64 = 512 << 20;
const SCRYPT_P_MAX: u32 = 16;
/// With the smallest n, r alone fills the memory.
const SCRYPT_R_MAX: u32 = 1 << 21;
const PBKDF2_ROUNDS_MAX: u32 = 10_000_000;

/// The key that a password leads to; the half that nobody asked for is zero.
pub(crate) type Derived = Zeroizing<[u8; 2 * DKLEN]>;

/// A key derivation with its cost.
#[derive(Clone, Debug)]
pub(crate) enum Kdf {
    Scrypt {
        n: u64,
        r: u32,
        p: u32,
        salt: Vec<u8>,
    },
    Pbkdf2 {
        hash: Hash,
        rounds: u32,
        salt: Vec<u8>,
    },
}

/// What PBKDF2 repeats.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hash {
    Sha256,
    Sha512,
}

impl Kdf {
    /// The fields `kdf` and `kdfparams` of `crypto`.
    pub(crate) fn read(crypto: &Place<'_>) -> Result<Self, KeystoreError> {
        let names = [
            ("scrypt", read_scrypt as fn(&Place<'_>) -> _),
            ("pbkdf2", read_pbkdf2),
        ];
        let read_params = crypto.child("kdf").one_of(&names, "scrypt or pbkdf2")?;

        let params = crypto.child("kdfparams");
        check_length(&params.child("dklen"))?;
        read_params(&params)
    }

    /// The field `kdfparams`.
    pub(crate) fn params(&self) -> Value {
        match self {
            Self::Scrypt { n, r, p, salt } => {
                json!({"dklen": DKLEN, "n": n, "p": p, "r": r, "salt": hex::encode(salt)})
            }
            Self::Pbkdf2 { hash, rounds, salt } => {
                let prf = match hash {
                    Hash::Sha256 => "hmac-sha256",
                    Hash::Sha512 => "hmac-sha512",
                };
                json!({"c": rounds, "dklen": DKLEN, "prf": prf, "salt": hex::encode(salt)})
            }
        }
    }

    /// The field `kdf`.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Scrypt { .. } => "scrypt",
            Self::Pbkdf2 { .. } => "pbkdf2",
        }
    }

    /// The first `length` bytes, at most 64; they do not depend on how many more are asked for.
    pub(crate) fn derive(&self, password: &str, length: usize) -> Result<Derived, KeystoreError> {
        let mut derived = Zeroizing::new([0u8; 2 * DKLEN]);
        let (password, output) = (password.as_bytes(), &mut derived[..length]);

        match self {
            Self::Scrypt { n, r, p, salt } => {
                let cost = scrypt::Params::new(n.ilog2() as u8, *r, *p);
                cost.ok()
                    .and_then(|cost| scrypt::scrypt(password, salt, &cost, output).ok())
                    .ok_or(KeystoreError::Kind {
                        why: "its kdfparams are beyond what scrypt allows",
                    })?;
            }
            Self::Pbkdf2 { hash, rounds, salt } => match hash {
                Hash::Sha256 => pbkdf2::pbkdf2::<Hmac<Sha256>>(password, salt, *rounds, output),
                Hash::Sha512 => pbkdf2::pbkdf2::<Hmac<Sha512>>(password, salt, *rounds, output),
            },
        }

        Ok(derived)
    }
}

/// Longer keys begin with the same bytes; only shorter ones are of no use.
fn check_length(place: &Place<'_>) -> Result<(), KeystoreError> {
    let allowed = "32 or more";
    if place.is_given() && place.number::<usize>(allowed)? < DKLEN {
        return Err(place.wrong(allowed));
    }
    Ok(())
}

fn read_scrypt(params: &Place<'_>) -> Result<Kdf, KeystoreError> {
    let n_allowed = "a power of two, at least 2, with 128·n·r and 128·p·r at most 512 MiB";
    let n: u64 = params.child("n").number(n_allowed)?;
    let r = read_within(&params.child("r"), SCRYPT_R_MAX, "1 to 2097152")?;
    let p = read_within(&params.child("p"), SCRYPT_P_MAX, "1 to 16")?;

    let bytes = n.max(u64::from(p)).saturating_mul(128 * u64::from(r));
    if !n.is_power_of_two() || n < 2 || bytes > SCRYPT_BYTES_MAX {
        return Err(params.child("n").wrong(n_allowed));
    }

    let salt = params.child("salt").bytes("hex digits")?;
    Ok(Kdf::Scrypt { n, r, p, salt })
}

fn read_pbkdf2(params: &Place<'_>) -> Result<Kdf, KeystoreError> {
    let prf = params.child("prf");
    let names = [("hmac-sha256", Hash::Sha256), ("hmac-sha512", Hash::Sha512)];
    let hash = if prf.is_given() {
        prf.one_of(&names, "hmac-sha256 or hmac-sha512")?
    } else {
        Hash::Sha256
    };

    Ok(Kdf::Pbkdf2 {
        hash,
        rounds: read_within(&params.child("c"), PBKDF2_ROUNDS_MAX, "1 to 10000000")?,
        salt: params.child("salt").bytes("hex digits")?,
    })
}

fn read_within(place: &Place<'_>, max: u32, allowed: &'static str) -> Result<u32, KeystoreError> {
    let found = place.number(allowed)?;
    if (1..=max).contains(&found) {
        Ok(found)
    } else {
        Err(place.wrong(allowed))
    }
}
