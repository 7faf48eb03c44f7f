//! The words of a keystore, encrypted beside its key.

use crate::kdf::{DKLEN, Derived};
use crate::mnemonic::Mnemonic;
use crate::path::{HdPath, Role};
use crate::place::Place;
use crate::v3::{KeystoreError, random_bytes};
use crate::word_list::WordList;
use aes::cipher::{KeyIvInit, StreamCipher};
use secp256k1::SecretKey;
use serde_json::{Value, json};
use zeroize::Zeroizing;

type Aes256Ctr = ctr::Ctr128BE<aes::Aes256>;

/// Where ethers keeps words, and what it calls this way of keeping them.
const ETHERS: (&str, &str) = ("x-ethers", "0.1");
/// Where words lie that ethers could not read: those with a passphrase of BIP-39, which lies beside them.
const HOTPOT: (&str, &str) = ("x-hotpot", "1");
/// No longer entropy has words.
const ENTROPY_BYTES_MAX: usize = 32;

/// Encrypted words, and where among their keys the file's stands.
#[derive(Clone, Debug)]
pub(crate) struct SealedWords {
    field: &'static str,
    path: HdPath,
    list: &'static WordList,
    entropy: Sealed,
    passphrase: Option<Sealed>,
}

/// Bytes under AES-256-CTR with the second half of the derived key. The counter is random, so no two of them share a
/// part of the stream.
#[derive(Clone, Debug)]
struct Sealed {
    counter: [u8; 16],
    ciphertext: Vec<u8>,
}

impl Sealed {
    fn seal(plain: &[u8], derived: &Derived) -> Self {
        let counter = random_bytes();
        let mut ciphertext = plain.to_vec();
        keystream(&counter, derived).apply_keystream(&mut ciphertext);
        Self {
            counter,
            ciphertext,
        }
    }

    fn open(&self, derived: &Derived) -> Zeroizing<Vec<u8>> {
        let mut plain = Zeroizing::new(self.ciphertext.clone());
        keystream(&self.counter, derived).apply_keystream(&mut plain);
        plain
    }
}

fn keystream(counter: &[u8; 16], derived: &Derived) -> Aes256Ctr {
    Aes256Ctr::new(derived[DKLEN..].into(), counter.into())
}

impl SealedWords {
    /// Encrypts words that lead to the file's key at `path`.
    pub(crate) fn seal(mnemonic: &Mnemonic, path: &HdPath, derived: &Derived) -> Self {
        let passphrase = mnemonic.passphrase().as_bytes();
        let (field, passphrase) = if passphrase.is_empty() {
            (ETHERS.0, None)
        } else {
            (HOTPOT.0, Some(Sealed::seal(passphrase, derived)))
        };

        Self {
            field,
            path: path.clone(),
            list: mnemonic.list(),
            entropy: Sealed::seal(mnemonic.entropy(), derived),
            passphrase,
        }
    }

    /// The words of a file, if it has any; an error where they are kept in a way that is not known.
    pub(crate) fn read(root: &Place<'_>) -> Option<Result<Self, KeystoreError>> {
        [HOTPOT, ETHERS].into_iter().find_map(|(field, version)| {
            let place = root.child(field);
            let has_words = place.child("mnemonicCiphertext").is_given();
            has_words.then(|| Self::read_under(&place, field, version))
        })
    }

    /// What ethers 4 left out has the values that it meant.
    fn read_under(
        place: &Place<'_>,
        field: &'static str,
        version: &'static str,
    ) -> Result<Self, KeystoreError> {
        place.child("version").one_of(&[(version, ())], version)?;

        let passphrase = place.child("passphraseCiphertext");
        Ok(Self {
            field,
            path: read_path(&place.child("path"))?,
            list: read_locale(&place.child("locale"))?,
            entropy: Sealed {
                counter: place.child("mnemonicCounter").array("32 hex digits")?,
                ciphertext: read_entropy(&place.child("mnemonicCiphertext"))?,
            },
            passphrase: if passphrase.is_given() {
                Some(Sealed {
                    counter: place.child("passphraseCounter").array("32 hex digits")?,
                    ciphertext: passphrase.bytes("hex digits")?,
                })
            } else {
                None
            },
        })
    }

    /// The field of the keystore that they lie under.
    pub(crate) const fn field(&self) -> &'static str {
        self.field
    }

    /// The value of that field.
    pub(crate) fn to_json(&self) -> Value {
        let (_, version) = if self.field == ETHERS.0 {
            ETHERS
        } else {
            HOTPOT
        };
        let mut json = json!({
            "version": version,
            "path": self.path.to_string(),
            "locale": self.list.locale,
            "mnemonicCounter": hex::encode(self.entropy.counter),
            "mnemonicCiphertext": hex::encode(&self.entropy.ciphertext),
        });

        if let Some(passphrase) = &self.passphrase {
            json["passphraseCounter"] = hex::encode(passphrase.counter).into();
            json["passphraseCiphertext"] = hex::encode(&passphrase.ciphertext).into();
        }

        json
    }

    /// Words have no checksum in the file: they are right if they lead to the key.
    pub(crate) fn open(
        &self,
        derived: &Derived,
        key: &SecretKey,
    ) -> Result<(Mnemonic, HdPath), KeystoreError> {
        let wrong = || KeystoreError::Words { field: self.field };

        let entropy = self.entropy.open(derived);
        let passphrase = self.passphrase.as_ref().map(|sealed| sealed.open(derived));
        let passphrase = passphrase.as_deref().map_or(&[][..], Vec::as_slice);
        let passphrase = std::str::from_utf8(passphrase).map_err(|_| wrong())?;

        let mnemonic = Mnemonic::from_entropy_in(self.list, &entropy)
            .map_err(|_| wrong())?
            .with_passphrase(passphrase);
        match mnemonic.key(&self.path) {
            Ok(found) if found == *key => Ok((mnemonic, self.path.clone())),
            _ => Err(wrong()),
        }
    }
}

fn read_path(place: &Place<'_>) -> Result<HdPath, KeystoreError> {
    let allowed = "a path such as m/44'/60'/0'/0/0";
    if !place.is_given() {
        return Ok(Role::Holder.path(0));
    }
    place
        .text(allowed)?
        .parse()
        .map_err(|_| place.wrong(allowed))
}

fn read_locale(place: &Place<'_>) -> Result<&'static WordList, KeystoreError> {
    let allowed = "en, cz, es, fr, it, ja, ko, pt, zh_cn or zh_tw";
    if !place.is_given() {
        return Ok(WordList::english());
    }
    WordList::of_locale(place.text(allowed)?).ok_or_else(|| place.wrong(allowed))
}

fn read_entropy(place: &Place<'_>) -> Result<Vec<u8>, KeystoreError> {
    let allowed = "32, 40, 48, 56 or 64 hex digits";
    let bytes = place.bytes(allowed)?;
    if bytes.len() <= ENTROPY_BYTES_MAX {
        Ok(bytes)
    } else {
        Err(place.wrong(allowed))
    }
}
