//! BIP-39: a wallet as English words on paper.

use crate::extended::{ExtendedKey, HdError};
use crate::path::HdPath;
use coins_bip39::{English, Entropy};
use rand::RngCore;
use rand::rngs::OsRng;
use secp256k1::SecretKey;
use zeroize::Zeroizing;

/// The words of a wallet. Wiped when dropped, never printed by Debug.
#[derive(Clone, PartialEq, Eq)]
pub struct Mnemonic(coins_bip39::Mnemonic<English>);

/// Why words are no mnemonic. Says where, never what: a wrong word is nearly a right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MnemonicError {
    /// Too few or too many.
    #[error("a mnemonic has 12, 15, 18, 21 or 24 words, found {found}")]
    WordCount {
        /// How many words were given.
        found: usize,
    },
    /// Not in BIP-39's English list.
    #[error("word {position} is not in the English list of BIP-39: check its spelling")]
    Word {
        /// The first word is 1.
        position: usize,
    },
    /// All words are known, but not together.
    #[error("the checksum is wrong: a word is another one, or two changed places")]
    Checksum,
    /// Entropy of another length.
    #[error("entropy has 16, 20, 24, 28 or 32 bytes, found {found}")]
    Entropy {
        /// How many bytes were given.
        found: usize,
    },
}

impl From<coins_bip39::MnemonicError> for MnemonicError {
    fn from(error: coins_bip39::MnemonicError) -> Self {
        match error {
            coins_bip39::MnemonicError::InvalidWordCount(found) => Self::WordCount { found },
            coins_bip39::MnemonicError::InvalidWord(index) => Self::Word {
                position: index + 1,
            },
            coins_bip39::MnemonicError::InvalidEntropyLength(found) => Self::Entropy { found },
            _ => Self::Checksum,
        }
    }
}

impl Mnemonic {
    /// New words from the system's randomness.
    pub fn generate(words: usize) -> Result<Self, MnemonicError> {
        let count = coins_bip39::WordCount::try_from(words)?;
        let mut entropy = Zeroizing::new([0u8; 32]);
        OsRng.fill_bytes(entropy.as_mut_slice());
        Self::from_entropy(&entropy[..count.entropy_bytes()])
    }

    /// The words that stand for 16 to 32 bytes.
    pub fn from_entropy(bytes: &[u8]) -> Result<Self, MnemonicError> {
        Ok(Self(coins_bip39::Mnemonic::new_from_entropy(
            Entropy::from_slice(bytes)?,
        )))
    }

    /// Reads words as people write them: in any case, with any space between.
    pub fn from_phrase(text: &str) -> Result<Self, MnemonicError> {
        let mut phrase = Zeroizing::new(String::with_capacity(text.len() + 1));
        for word in text.split_whitespace() {
            if !phrase.is_empty() {
                phrase.push(' ');
            }
            // Only ASCII: a letter of another script is a mistake that must be named.
            phrase.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
        }
        if phrase.is_empty() {
            return Err(MnemonicError::WordCount { found: 0 });
        }
        Ok(Self(coins_bip39::Mnemonic::new_from_phrase(&phrase)?))
    }

    /// The words, one space between.
    pub fn phrase(&self) -> Zeroizing<String> {
        self.0.to_phrase()
    }

    /// What the words stand for.
    pub fn entropy(&self) -> &[u8] {
        self.0.entropy().as_bytes()
    }

    /// The seed under a passphrase of BIP-39 (the "25th word"); ours are made with the empty one.
    pub fn seed(&self, passphrase: &str) -> Result<Zeroizing<[u8; 64]>, HdError> {
        let derived = self.0.to_seed(Some(passphrase));
        derived.map_err(|_| HdError::Derive(coins_bip32::Bip32Error::InvalidKey))
    }

    /// The root of all keys, without a passphrase.
    pub fn root(&self) -> Result<ExtendedKey, HdError> {
        ExtendedKey::from_seed(self.seed("")?.as_slice())
    }

    /// The key at a path.
    pub fn key(&self, path: &HdPath) -> Result<SecretKey, HdError> {
        self.root()?.derive(path)?.secret()
    }
}

impl std::fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mnemonic(secret)")
    }
}
