//! The file format: Ethereum's Web3 secret storage, version 3, as geth, MetaMask and ethers read and write it.
//! A mnemonic lies beside its first key as ethers keeps it (`x-ethers`, version 0.1), so that other tools read the
//! file as a plain keystore. `address` is always written: the format's checksum does not cover `iv`.

use crate::mnemonic::Mnemonic;
use crate::path::{HdPath, Role};
use aes::cipher::{KeyIvInit, StreamCipher};
use domain::{Address, keccak256};
use hmac::Hmac;
use rand::RngCore;
use rand::rngs::OsRng;
use secp256k1::SecretKey;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

type Aes128Ctr = ctr::Ctr128BE<aes::Aes128>;
type Aes256Ctr = ctr::Ctr128BE<aes::Aes256>;

/// The only version.
const VERSION: u8 = 3;
/// Bytes of the derived key as the format counts them; ethers takes 32 more for the mnemonic.
const DKLEN: u32 = 32;
/// A file may not ask for more memory, nor for more work: hostile files would stop the machine.
const SCRYPT_BYTES_MAX: u64 = 512 << 20;
const SCRYPT_P_MAX: u32 = 16;
const PBKDF2_ROUNDS_MAX: u32 = 10_000_000;

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

/// Why a keystore is not one, or does not open.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// Not JSON of this format.
    #[error("not a keystore of version 3")]
    Malformed(#[from] serde_json::Error),
    /// The format, but what no sane tool writes.
    #[error("{field} is {found}, expected {allowed}")]
    Field {
        /// Its name in the JSON.
        field: &'static str,
        /// What it holds.
        found: String,
        /// What it may hold.
        allowed: &'static str,
    },
    /// The checksum does not fit.
    #[error("wrong password (or the file is damaged)")]
    Password,
    /// The password is right, the content is not.
    #[error("the file is damaged: it does not hold the key that it names")]
    Damaged,
}

/// An encrypted key, perhaps with its mnemonic.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Keystore {
    #[serde(default, skip_serializing_if = "Option::is_none", with = "maybe_hex")]
    address: Option<[u8; 20]>,
    id: Uuid,
    version: u8,
    #[serde(alias = "Crypto")]
    crypto: Crypto,
    #[serde(rename = "x-ethers", default, skip_serializing_if = "Option::is_none")]
    words: Option<Words>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    #[serde(with = "hex_bytes")]
    ciphertext: [u8; 32],
    #[serde(flatten)]
    kdf: Kdf,
    #[serde(with = "hex_bytes")]
    mac: [u8; 32],
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct CipherParams {
    #[serde(with = "hex_bytes")]
    iv: [u8; 16],
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kdf", content = "kdfparams", rename_all = "lowercase")]
enum Kdf {
    Scrypt {
        dklen: u32,
        n: u64,
        p: u32,
        r: u32,
        #[serde(with = "hex_bytes")]
        salt: Vec<u8>,
    },
    Pbkdf2 {
        c: u32,
        dklen: u32,
        prf: String,
        #[serde(with = "hex_bytes")]
        salt: Vec<u8>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Words {
    version: String,
    path: String,
    locale: String,
    #[serde(with = "hex_bytes")]
    mnemonic_counter: [u8; 16],
    #[serde(with = "hex_bytes")]
    mnemonic_ciphertext: Vec<u8>,
}

/// What a keystore holds.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The key that was closed in it.
    pub key: SecretKey,
    /// The words that it comes from, if the file has them.
    pub mnemonic: Option<Mnemonic>,
}

impl Keystore {
    /// Encrypts one key.
    pub fn seal(key: &SecretKey, password: &str, cost: Cost) -> Result<Self, KeystoreError> {
        let kdf = Kdf::Scrypt {
            dklen: DKLEN,
            n: 1 << cost.log_n(),
            p: 1,
            r: 8,
            salt: random_bytes::<32>().to_vec(),
        };
        let derived = kdf.derive(password)?;

        let iv = random_bytes();
        let mut ciphertext = key.secret_bytes();
        Aes128Ctr::new(derived[..16].into(), (&iv).into()).apply_keystream(&mut ciphertext);
        let mac = compute_mac(&derived, &ciphertext);
        let cipherparams = CipherParams { iv };

        Ok(Self {
            address: Some(crate::address(key).into_array()),
            id: uuid::Builder::from_random_bytes(random_bytes()).into_uuid(),
            version: VERSION,
            crypto: Crypto {
                cipher: "aes-128-ctr".into(),
                cipherparams,
                ciphertext,
                kdf,
                mac,
            },
            words: None,
        })
    }

    /// Encrypts a mnemonic; the key of the file is the holder's first.
    pub fn seal_mnemonic(
        mnemonic: &Mnemonic,
        password: &str,
        cost: Cost,
    ) -> Result<Self, KeystoreError> {
        let path = Role::Holder.path(0);
        let key = mnemonic.key(&path).map_err(|_| KeystoreError::Damaged)?;
        let mut keystore = Self::seal(&key, password, cost)?;

        let derived = keystore.crypto.kdf.derive(password)?;
        let counter = random_bytes();
        let mut ciphertext = mnemonic.entropy().to_vec();
        Aes256Ctr::new(derived[32..].into(), (&counter).into()).apply_keystream(&mut ciphertext);

        keystore.words = Some(Words {
            version: "0.1".into(),
            path: path.to_string(),
            locale: "en".into(),
            mnemonic_counter: counter,
            mnemonic_ciphertext: ciphertext,
        });
        Ok(keystore)
    }

    /// Reads a file's content.
    pub fn from_json(text: &str) -> Result<Self, KeystoreError> {
        let keystore: Self = serde_json::from_str(text)?;
        check_field(
            "version",
            &keystore.version,
            "3",
            keystore.version == VERSION,
        )?;
        let cipher = &keystore.crypto.cipher;
        check_field("cipher", cipher, "aes-128-ctr", cipher == "aes-128-ctr")?;
        keystore.crypto.kdf.check()?;
        Ok(keystore)
    }

    /// A file's content.
    pub fn to_json(&self) -> Result<String, KeystoreError> {
        Ok(serde_json::to_string(self)?)
    }

    /// The account, without the password; absent in files of some tools.
    pub fn address(&self) -> Option<Address> {
        self.address.map(Address::from)
    }

    /// Whether it holds a mnemonic.
    pub const fn has_mnemonic(&self) -> bool {
        self.words.is_some()
    }

    /// Decrypts, and checks that what comes out is what the file names.
    pub fn open(&self, password: &str) -> Result<Opened, KeystoreError> {
        let derived = self.crypto.kdf.derive(password)?;
        if compute_mac(&derived, &self.crypto.ciphertext) != self.crypto.mac {
            return Err(KeystoreError::Password);
        }

        let mut bytes = Zeroizing::new(self.crypto.ciphertext);
        let iv = &self.crypto.cipherparams.iv;
        Aes128Ctr::new(derived[..16].into(), iv.into()).apply_keystream(bytes.as_mut_slice());
        let key = SecretKey::from_byte_array(*bytes).map_err(|_| KeystoreError::Damaged)?;
        if self
            .address()
            .is_some_and(|address| address != crate::address(&key))
        {
            return Err(KeystoreError::Damaged);
        }

        let mnemonic = self
            .words
            .as_ref()
            .map(|words| words.open(&derived, &key))
            .transpose()?;
        Ok(Opened { key, mnemonic })
    }
}

impl Kdf {
    fn check(&self) -> Result<(), KeystoreError> {
        let expected_dklen = "32";

        match self {
            Self::Scrypt { dklen, n, p, r, .. } => {
                check_field("dklen", dklen, expected_dklen, *dklen == DKLEN)?;
                check_field(
                    "n",
                    n,
                    "a power of two, at least 2",
                    n.is_power_of_two() && *n > 1,
                )?;
                check_field("p", p, "1 to 16", (1..=SCRYPT_P_MAX).contains(p))?;
                let bytes = n.saturating_mul(u64::from(*r)).saturating_mul(128);
                check_field(
                    "r",
                    r,
                    "at least 1, and 128·n·r at most 512 MiB",
                    *r > 0 && bytes <= SCRYPT_BYTES_MAX,
                )
            }
            Self::Pbkdf2 { c, dklen, prf, .. } => {
                check_field("dklen", dklen, expected_dklen, *dklen == DKLEN)?;
                check_field("prf", prf, "hmac-sha256", prf == "hmac-sha256")?;
                check_field("c", c, "1 to 10000000", (1..=PBKDF2_ROUNDS_MAX).contains(c))
            }
        }
    }

    /// 32 bytes for the key and 32 for the mnemonic; the first do not depend on the others.
    fn derive(&self, password: &str) -> Result<Zeroizing<[u8; 64]>, KeystoreError> {
        self.check()?;
        let mut derived = Zeroizing::new([0u8; 64]);

        match self {
            Self::Scrypt { n, p, r, salt, .. } => {
                let log_n = u8::try_from(n.ilog2()).unwrap_or(u8::MAX);
                let refused = |_| field_error("n", n, "less than 2 to the power of 16·r");
                let params = scrypt::Params::new(log_n, *r, *p).map_err(refused)?;
                let length = |_| KeystoreError::Damaged;
                scrypt::scrypt(password.as_bytes(), salt, &params, derived.as_mut_slice())
                    .map_err(length)?;
            }
            Self::Pbkdf2 { c, salt, .. } => {
                pbkdf2::pbkdf2::<Hmac<Sha256>>(
                    password.as_bytes(),
                    salt,
                    *c,
                    derived.as_mut_slice(),
                );
            }
        }

        Ok(derived)
    }
}

impl Words {
    fn open(&self, derived: &[u8; 64], key: &SecretKey) -> Result<Mnemonic, KeystoreError> {
        check_field(
            "x-ethers.version",
            &self.version,
            "0.1",
            self.version == "0.1",
        )?;
        check_field("x-ethers.locale", &self.locale, "en", self.locale == "en")?;
        let mut entropy = Zeroizing::new(self.mnemonic_ciphertext.clone());
        Aes256Ctr::new(derived[32..].into(), (&self.mnemonic_counter).into())
            .apply_keystream(&mut entropy);
        let path: HdPath = self.path.parse().map_err(|_| KeystoreError::Damaged)?;
        let mnemonic = Mnemonic::from_entropy(&entropy).map_err(|_| KeystoreError::Damaged)?;
        // The mnemonic has no checksum in the file: it is right if it leads to the key.
        match mnemonic.key(&path) {
            Ok(derived) if derived == *key => Ok(mnemonic),
            _ => Err(KeystoreError::Damaged),
        }
    }
}

fn check_field(
    name: &'static str,
    found: &impl ToString,
    allowed: &'static str,
    fine: bool,
) -> Result<(), KeystoreError> {
    if fine {
        Ok(())
    } else {
        Err(field_error(name, found, allowed))
    }
}

fn field_error(field: &'static str, found: &impl ToString, allowed: &'static str) -> KeystoreError {
    KeystoreError::Field {
        field,
        found: found.to_string(),
        allowed,
    }
}

fn compute_mac(derived: &[u8; 64], ciphertext: &[u8; 32]) -> [u8; 32] {
    let mut preimage = Zeroizing::new([0u8; 48]);
    preimage[..16].copy_from_slice(&derived[16..32]);
    preimage[16..].copy_from_slice(ciphertext);
    keccak256(preimage.as_slice()).0
}

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0u8; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

/// Bytes as hex digits; `0x` is accepted, since some tools write it.
mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(
        bytes: &impl AsRef<[u8]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>, T: TryFrom<Vec<u8>>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let text = <String as Deserialize>::deserialize(deserializer)?;
        let bytes =
            hex::decode(text.strip_prefix("0x").unwrap_or(&text)).map_err(D::Error::custom)?;
        let length = bytes.len();
        T::try_from(bytes).map_err(|_| {
            D::Error::custom(format!("a value of {length} bytes has the wrong length"))
        })
    }
}

mod maybe_hex {
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(
        bytes: &Option<[u8; 20]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => super::hex_bytes::serialize(bytes, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<[u8; 20]>, D::Error> {
        super::hex_bytes::deserialize(deserializer).map(Some)
    }
}
