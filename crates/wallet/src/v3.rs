//! The file format: Ethereum's Web3 secret storage, version 3, as geth, MetaMask and ethers read and write it.
//! A mnemonic lies beside one of its keys as ethers keeps it (`x-ethers`, version 0.1), so that other tools read the
//! file as a plain keystore; one with a passphrase lies under `x-hotpot`, since ethers would take it for a damaged
//! one. `address` is always written: the format's checksum does not cover `iv`.

use crate::kdf::{DKLEN, Derived, Kdf};
use crate::mnemonic::Mnemonic;
use crate::password::{BYTE_ORDER_MARK, password_forms};
use crate::path::{HdPath, Role};
use crate::place::Place;
use crate::sealed_words::SealedWords;
use aes::cipher::{KeyIvInit, StreamCipher};
use domain::{Address, keccak256};
use rand::RngCore;
use rand::rngs::OsRng;
use secp256k1::SecretKey;
use serde_json::{Value, json};
use zeroize::Zeroizing;

type Aes128Ctr = ctr::Ctr128BE<aes::Aes128>;

/// The only version.
const VERSION: u64 = 3;
const CIPHER: &str = "aes-128-ctr";
/// A key of 32 bytes behind the zero that Java puts before some numbers. Old tools cut leading zeros off instead.
const CIPHERTEXT_BYTES_MAX: usize = 33;

/// How hard guessing is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// For passwords that people choose: 128 MiB and about half a second for each guess (OWASP's minimum).
    Password,
    /// For random passphrases of 32 bytes, which nobody guesses anyway.
    Random,
}

impl Cost {
    const fn log_n(self) -> u8 {
        match self {
            Self::Password => 17,
            Self::Random => 13,
        }
    }
}

/// Why a keystore is not one, or does not open. Says where, and shows numbers and names of algorithms alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreError {
    /// Cut off, or something else.
    #[error("not a keystore of version 3: no JSON from line {line}, column {column} on")]
    Json {
        /// The first line is 1.
        line: usize,
        /// The first column is 1.
        column: usize,
    },
    /// JSON of another kind.
    #[error("not a keystore of version 3: {why}")]
    Kind {
        /// What it is, or lacks.
        why: &'static str,
    },
    /// The format, but not what a tool writes that means well.
    #[error("{field} is {found}, expected {allowed}")]
    Field {
        /// Its names in the JSON, from the outermost on, with dots between.
        field: String,
        /// What it holds: a number, a short name, or its kind.
        found: String,
        /// What it may hold.
        allowed: &'static str,
    },
    /// The checksum does not fit.
    #[error("wrong password (or the file is damaged)")]
    Password,
    /// The password is right, the key is not.
    #[error("the file is damaged: it does not hold the key that its address names")]
    Damaged,
    /// The password is right, but there is no key behind it.
    #[error(
        "crypto.ciphertext holds no key: what it holds is zero, or beyond the curve's order, or too long"
    )]
    NoKey,
    /// The key is there, its words are not.
    #[error(
        "the words under {field} do not lead to the file's key: they are damaged, or they have a passphrase of BIP-39 that the file does not hold"
    )]
    Words {
        /// Where they lie in the JSON.
        field: &'static str,
    },
}

/// An encrypted key, perhaps with its mnemonic.
#[derive(Clone, Debug)]
pub struct Keystore {
    address: Option<[u8; 20]>,
    id: Option<String>,
    iv: [u8; 16],
    ciphertext: Vec<u8>,
    kdf: Kdf,
    mac: [u8; 32],
    /// Words that cannot be read are no reason to lose the key beside them.
    words: Option<Result<SealedWords, KeystoreError>>,
}

/// What a keystore holds.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The key that was closed in it.
    pub key: SecretKey,
    /// The words that it comes from, if the file has them.
    pub mnemonic: Option<Mnemonic>,
    /// Where the key stands among those of the words; nothing without words.
    pub path: Option<HdPath>,
    /// Why the words that the file has are not here.
    pub unread_words: Option<KeystoreError>,
}

impl Opened {
    /// A key that comes from no words.
    pub const fn from_key(key: SecretKey) -> Self {
        Self {
            key,
            mnemonic: None,
            path: None,
            unread_words: None,
        }
    }

    /// Words, with the key at a path.
    pub fn from_mnemonic(mnemonic: Mnemonic, path: HdPath) -> Result<Self, KeystoreError> {
        let key = mnemonic.key(&path).map_err(|_| KeystoreError::NoKey)?;
        Ok(Self {
            mnemonic: Some(mnemonic),
            path: Some(path),
            ..Self::from_key(key)
        })
    }

    /// Encrypts all of it; one derivation.
    pub fn seal(&self, password: &str, cost: Cost) -> Result<Keystore, KeystoreError> {
        let kdf = Kdf::Scrypt {
            n: 1 << cost.log_n(),
            r: 8,
            p: 1,
            salt: random_bytes::<32>().to_vec(),
        };
        let derived = kdf.derive(password, 2 * DKLEN)?;

        let iv = random_bytes();
        let mut ciphertext = self.key.secret_bytes().to_vec();
        Aes128Ctr::new(derived[..16].into(), (&iv).into()).apply_keystream(&mut ciphertext);

        let words = self.mnemonic.as_ref().zip(self.path.as_ref());
        Ok(Keystore {
            address: Some(crate::address(&self.key).into_array()),
            id: Some(random_id()),
            iv,
            mac: compute_mac(&derived, &ciphertext),
            ciphertext,
            kdf,
            words: words.map(|(mnemonic, path)| Ok(SealedWords::seal(mnemonic, path, &derived))),
        })
    }
}

impl Keystore {
    /// Encrypts one key.
    pub fn seal(key: &SecretKey, password: &str, cost: Cost) -> Result<Self, KeystoreError> {
        Opened::from_key(*key).seal(password, cost)
    }

    /// Encrypts a mnemonic; the key of the file is the holder's first.
    pub fn seal_mnemonic(
        mnemonic: &Mnemonic,
        password: &str,
        cost: Cost,
    ) -> Result<Self, KeystoreError> {
        Opened::from_mnemonic(mnemonic.clone(), Role::Holder.path(0))?.seal(password, cost)
    }

    /// Reads a file's content, of whichever tool. What opening it costs is checked here.
    pub fn from_json(text: &str) -> Result<Self, KeystoreError> {
        let text = text.trim_start_matches(BYTE_ORDER_MARK);
        let value: Value = serde_json::from_str(text).map_err(|error| KeystoreError::Json {
            line: error.line(),
            column: error.column(),
        })?;
        let root = Place::root(&value);
        check_kind(&root)?;

        let crypto = root.child("crypto");
        crypto.child("cipher").one_of(&[(CIPHER, ())], CIPHER)?;
        let iv = crypto.child("cipherparams").child("iv");

        Ok(Self {
            address: read_address(&root.child("address"))?,
            id: root.child("id").text("a text").ok().map(str::to_owned),
            iv: iv.array("32 hex digits")?,
            ciphertext: read_ciphertext(&crypto.child("ciphertext"))?,
            kdf: Kdf::read(&crypto)?,
            mac: crypto.child("mac").array("64 hex digits")?,
            words: SealedWords::read(&root),
        })
    }

    /// A file's content.
    pub fn to_json(&self) -> String {
        let mut json = json!({
            "crypto": {
                "cipher": CIPHER,
                "cipherparams": {"iv": hex::encode(self.iv)},
                "ciphertext": hex::encode(&self.ciphertext),
                "kdf": self.kdf.name(),
                "kdfparams": self.kdf.params(),
                "mac": hex::encode(self.mac),
            },
            "version": VERSION,
        });

        if let Some(address) = &self.address {
            json["address"] = hex::encode(address).into();
        }
        if let Some(id) = &self.id {
            json["id"] = id.as_str().into();
        }
        if let Some(Ok(words)) = &self.words {
            json[words.field()] = words.to_json();
        }

        json.to_string()
    }

    /// The account, without the password; absent in files of some tools.
    pub fn address(&self) -> Option<Address> {
        self.address.map(Address::from)
    }

    /// Whether it holds a mnemonic.
    pub const fn has_mnemonic(&self) -> bool {
        matches!(self.words, Some(Ok(_)))
    }

    /// Decrypts, and checks that what comes out is what the file names. A password with letters that can be spelt in
    /// several ways is tried in each of them, at the cost of one derivation each.
    pub fn open(&self, password: &str) -> Result<Opened, KeystoreError> {
        let derived = self.derive(password)?;
        let key = self.decrypt_key(&derived)?;

        let words = self
            .words
            .clone()
            .map(|sealed| sealed?.open(&derived, &key));
        Ok(match words {
            None => Opened::from_key(key),
            Some(Ok((mnemonic, path))) => Opened {
                mnemonic: Some(mnemonic),
                path: Some(path),
                ..Opened::from_key(key)
            },
            Some(Err(why)) => Opened {
                unread_words: Some(why),
                ..Opened::from_key(key)
            },
        })
    }

    /// The derived key that the file's checksum confirms.
    fn derive(&self, password: &str) -> Result<Derived, KeystoreError> {
        let length = if self.has_mnemonic() {
            2 * DKLEN
        } else {
            DKLEN
        };

        for form in password_forms(password) {
            let derived = self.kdf.derive(&form, length)?;
            if compute_mac(&derived, &self.ciphertext) == self.mac {
                return Ok(derived);
            }
        }

        Err(KeystoreError::Password)
    }

    fn decrypt_key(&self, derived: &Derived) -> Result<SecretKey, KeystoreError> {
        let mut bytes = Zeroizing::new(self.ciphertext.clone());
        Aes128Ctr::new(derived[..16].into(), (&self.iv).into()).apply_keystream(&mut bytes);
        let key = key_of_number(&bytes)?;

        let named = self.address();
        if named.is_some_and(|named| named != crate::address(&key)) {
            return Err(KeystoreError::Damaged);
        }

        Ok(key)
    }
}

/// What people take for a keystore and is none is told by its name.
fn check_kind(root: &Place<'_>) -> Result<(), KeystoreError> {
    let refused = |why| Err(KeystoreError::Kind { why });
    if !root.is_object() {
        return refused("it is no JSON object; each keystore belongs into a file of its own");
    }

    let version = root.child("version");
    if version.is_given() {
        match version.number("3")? {
            VERSION => {}
            1 => return Err(version.wrong("3 (geth account update rewrites a file of version 1)")),
            4 => {
                return Err(version.wrong(
                    "3 (version 4, EIP-2335, holds a BLS key of an Ethereum validator, which signs no transactions)",
                ));
            }
            _ => return Err(version.wrong("3")),
        }
    }

    if root.child("encseed").is_given() {
        return refused("it is a presale wallet (encseed); geth or ethers make a keystore of it");
    }
    if !root.child("crypto").is_object() {
        return refused("it has no crypto object");
    }
    Ok(())
}

/// Some tools leave it out, some leave it empty.
fn read_address(place: &Place<'_>) -> Result<Option<[u8; 20]>, KeystoreError> {
    let allowed = "40 hex digits, or nothing";
    if !place.is_given() || place.text(allowed)?.is_empty() {
        return Ok(None);
    }
    place.array(allowed).map(Some)
}

fn read_ciphertext(place: &Place<'_>) -> Result<Vec<u8>, KeystoreError> {
    let allowed = "2 to 66 hex digits";
    let bytes = place.bytes(allowed)?;
    if (1..=CIPHERTEXT_BYTES_MAX).contains(&bytes.len()) {
        Ok(bytes)
    } else {
        Err(place.wrong(allowed))
    }
}

/// The key that is this number, however many zeros stand in front of it.
fn key_of_number(bytes: &[u8]) -> Result<SecretKey, KeystoreError> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = &bytes[zeros..];

    let mut key = Zeroizing::new([0u8; 32]);
    let start = key
        .len()
        .checked_sub(digits.len())
        .ok_or(KeystoreError::NoKey)?;
    key[start..].copy_from_slice(digits);
    SecretKey::from_byte_array(*key).map_err(|_| KeystoreError::NoKey)
}

fn compute_mac(derived: &Derived, ciphertext: &[u8]) -> [u8; 32] {
    let preimage = Zeroizing::new([&derived[16..32], ciphertext].concat());
    keccak256(preimage.as_slice()).0
}

fn random_id() -> String {
    uuid::Builder::from_random_bytes(random_bytes())
        .into_uuid()
        .to_string()
}

pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0u8; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}
