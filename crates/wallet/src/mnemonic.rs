//! BIP-39: a wallet as words on paper.

use crate::extended::{ExtendedKey, HdError};
use crate::path::HdPath;
use crate::phrase::read_words;
use crate::word_list::{WordList, list_names};
use coins_bip39::{Entropy, WordCount};
use rand::RngCore;
use rand::rngs::OsRng;
use secp256k1::SecretKey;
use zeroize::Zeroizing;

/// The words of a wallet, with their passphrase if they have one. Wiped when dropped, never printed by Debug.
#[derive(Clone)]
pub struct Mnemonic {
    list: &'static WordList,
    entropy: Entropy,
    passphrase: Zeroizing<String>,
}

/// Why words are no mnemonic. Says where, never what: a wrong word is nearly a right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MnemonicError {
    /// Too few or too many.
    #[error("a mnemonic has 12, 15, 18, 21 or 24 words, found {found}{}", passphrase_hint(.found))]
    WordCount {
        /// How many words were given.
        found: usize,
    },
    /// Not in the list that has most of the other words.
    #[error("word {position} is not in the {list} list of BIP-39: check its spelling")]
    Word {
        /// The first word is 1.
        position: usize,
        /// The list's language.
        list: &'static str,
    },
    /// Most words are in no list.
    #[error(
        "the words are in none of BIP-39's lists that are read here: {}",
        list_names()
    )]
    Language,
    /// A number is missing, stands there twice, or is none of the list's.
    #[error("the numbers before the words are not 1 to {words}, each once")]
    Numbers {
        /// How many words were given.
        words: usize,
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

/// Who has one word too many may have written the passphrase behind the words.
const fn passphrase_hint(found: &usize) -> &'static str {
    match *found {
        13 | 16 | 19 | 22 | 25 => {
            " (a passphrase, the \"25th word\", is none of them: it is given apart)"
        }
        _ => "",
    }
}

impl From<coins_bip39::MnemonicError> for MnemonicError {
    fn from(error: coins_bip39::MnemonicError) -> Self {
        match error {
            coins_bip39::MnemonicError::InvalidWordCount(found) => Self::WordCount { found },
            coins_bip39::MnemonicError::InvalidEntropyLength(found) => Self::Entropy { found },
            _ => Self::Checksum,
        }
    }
}

impl Mnemonic {
    /// New English words from the system's randomness.
    pub fn generate(words: usize) -> Result<Self, MnemonicError> {
        let count = WordCount::try_from(words)?;
        let mut entropy = Zeroizing::new([0u8; 32]);
        OsRng.fill_bytes(entropy.as_mut_slice());
        Self::from_entropy(&entropy[..count.entropy_bytes()])
    }

    /// The English words that stand for 16 to 32 bytes.
    pub fn from_entropy(bytes: &[u8]) -> Result<Self, MnemonicError> {
        Self::from_entropy_in(WordList::english(), bytes)
    }

    /// The words of a list that stand for 16 to 32 bytes.
    pub(crate) fn from_entropy_in(
        list: &'static WordList,
        bytes: &[u8],
    ) -> Result<Self, MnemonicError> {
        Ok(Self {
            list,
            entropy: Entropy::from_slice(bytes)?,
            passphrase: Zeroizing::default(),
        })
    }

    /// Reads words as people write them: of any list, in any case, with any space or mark between, with or without
    /// numbers before them.
    pub fn from_phrase(text: &str) -> Result<Self, MnemonicError> {
        let (list, entropy) = WordList::decode(&read_words(text)?)?;
        Ok(Self {
            list,
            entropy,
            passphrase: Zeroizing::default(),
        })
    }

    /// The same words under a passphrase of BIP-39 (the "25th word"): other keys. Each passphrase leads to some.
    pub fn with_passphrase(mut self, passphrase: &str) -> Self {
        self.passphrase = Zeroizing::new(passphrase.to_owned());
        self
    }

    /// Whether the words alone lead to other keys.
    pub fn has_passphrase(&self) -> bool {
        !self.passphrase.is_empty()
    }

    pub(crate) fn passphrase(&self) -> &str {
        &self.passphrase
    }

    pub(crate) const fn list(&self) -> &'static WordList {
        self.list
    }

    /// The words, one space between; accents are decomposed, as the seed is made of them.
    pub fn phrase(&self) -> Zeroizing<String> {
        self.list.phrase(&self.entropy)
    }

    /// What the words stand for.
    pub fn entropy(&self) -> &[u8] {
        self.entropy.as_bytes()
    }

    /// The seed under a passphrase, whatever that of this mnemonic is.
    pub fn seed(&self, passphrase: &str) -> Result<Zeroizing<[u8; 64]>, HdError> {
        let derived = self.list.seed(&self.entropy, passphrase);
        derived.map_err(|_| HdError::Derive(coins_bip32::Bip32Error::InvalidKey))
    }

    /// The root of all keys.
    pub fn root(&self) -> Result<ExtendedKey, HdError> {
        ExtendedKey::from_seed(self.seed(&self.passphrase)?.as_slice())
    }

    /// The key at a path.
    pub fn key(&self, path: &HdPath) -> Result<SecretKey, HdError> {
        self.root()?.derive(path)?.secret()
    }
}

impl PartialEq for Mnemonic {
    fn eq(&self, other: &Self) -> bool {
        self.list.locale == other.list.locale
            && self.entropy == other.entropy
            && self.passphrase == other.passphrase
    }
}

impl Eq for Mnemonic {}

impl std::fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mnemonic(secret)")
    }
}
