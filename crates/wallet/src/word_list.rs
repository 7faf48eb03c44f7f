//! The word lists of BIP-39, and which of them a phrase is written in.

use crate::mnemonic::MnemonicError;
use crate::phrase::{FoldedWord, is_same_word};
use coins_bip39::{
    ChineseSimplified, ChineseTraditional, Czech, English, Entropy, French, Italian, Japanese,
    Korean, Mnemonic, Portuguese, Spanish, Wordlist,
};
use std::fmt;
use zeroize::Zeroizing;

type LibraryResult<T> = Result<T, coins_bip39::MnemonicError>;

/// A list, with what the library does in its language.
pub(crate) struct WordList {
    /// As errors name it.
    pub(crate) name: &'static str,
    /// As ethers names it in a keystore.
    pub(crate) locale: &'static str,
    words: fn() -> &'static [&'static str],
    decode: fn(&str) -> LibraryResult<Entropy>,
    phrase: fn(&Entropy) -> Zeroizing<String>,
    seed: fn(&Entropy, &str) -> LibraryResult<Zeroizing<[u8; 64]>>,
}

/// English first: where two lists have all the words, the first whose checksum fits is taken. The seed is the same in
/// both, since it is made of the words and not of what they stand for.
static LISTS: [WordList; 10] = [
    WordList::new::<English>("English", "en"),
    WordList::new::<ChineseSimplified>("simplified Chinese", "zh_cn"),
    WordList::new::<ChineseTraditional>("traditional Chinese", "zh_tw"),
    WordList::new::<Czech>("Czech", "cz"),
    WordList::new::<French>("French", "fr"),
    WordList::new::<Italian>("Italian", "it"),
    WordList::new::<Japanese>("Japanese", "ja"),
    WordList::new::<Korean>("Korean", "ko"),
    WordList::new::<Portuguese>("Portuguese", "pt"),
    WordList::new::<Spanish>("Spanish", "es"),
];

impl WordList {
    const fn new<W: Wordlist>(name: &'static str, locale: &'static str) -> Self {
        Self {
            name,
            locale,
            words: W::get_all,
            decode: |phrase| Ok(Mnemonic::<W>::new_from_phrase(phrase)?.entropy().clone()),
            phrase: |entropy| Mnemonic::<W>::new_from_entropy(entropy.clone()).to_phrase(),
            seed: |entropy, passphrase| {
                Mnemonic::<W>::new_from_entropy(entropy.clone()).to_seed(Some(passphrase))
            },
        }
    }

    /// What new wallets are written in.
    pub(crate) fn english() -> &'static Self {
        &LISTS[0]
    }

    /// The list that ethers names so.
    pub(crate) fn of_locale(locale: &str) -> Option<&'static Self> {
        LISTS
            .iter()
            .find(|list| list.locale.eq_ignore_ascii_case(locale))
    }

    /// The list that has all of the words, and what they stand for.
    pub(crate) fn decode(words: &[FoldedWord]) -> Result<(&'static Self, Entropy), MnemonicError> {
        let mut nearest = (0, MnemonicError::Language);

        for list in &LISTS {
            let spelt = list.spell(words);
            let known = spelt.iter().flatten().count();

            let failure = match spelt.iter().position(Option::is_none) {
                Some(first) => MnemonicError::Word {
                    position: first + 1,
                    list: list.name,
                },
                None => match (list.decode)(&join_words(&spelt)) {
                    Ok(entropy) => return Ok((list, entropy)),
                    Err(error) => error.into(),
                },
            };
            // A list that has less than half of the words is not the one that was meant.
            if known > nearest.0 && 2 * known >= words.len() {
                nearest = (known, failure);
            }
        }

        Err(nearest.1)
    }

    /// The words as the list spells them; nothing for those that it does not have.
    fn spell(&self, words: &[FoldedWord]) -> Vec<Option<&'static str>> {
        let all = (self.words)();
        let spell_one = |word: &FoldedWord| {
            all.iter()
                .copied()
                .find(|listed| is_same_word(listed, word))
        };
        words.iter().map(spell_one).collect()
    }

    /// The words that stand for entropy, one space between.
    pub(crate) fn phrase(&self, entropy: &Entropy) -> Zeroizing<String> {
        (self.phrase)(entropy)
    }

    /// The seed of BIP-39.
    pub(crate) fn seed(
        &self,
        entropy: &Entropy,
        passphrase: &str,
    ) -> LibraryResult<Zeroizing<[u8; 64]>> {
        (self.seed)(entropy, passphrase)
    }
}

impl fmt::Debug for WordList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The names of all lists, for errors.
pub(crate) fn list_names() -> String {
    let names: Vec<&str> = LISTS.iter().map(|list| list.name).collect();
    names.join(", ")
}

fn join_words(words: &[Option<&'static str>]) -> Zeroizing<String> {
    let words: Vec<&str> = words.iter().flatten().copied().collect();
    Zeroizing::new(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrase::read_words;

    #[test]
    fn every_list_reads_what_it_writes() {
        for list in &LISTS {
            assert_eq!((list.words)().len(), 2048, "{list:?}");
            for bytes in [[0; 16].as_slice(), &[0x5a; 20], &[0xff; 32]] {
                let entropy = Entropy::from_slice(bytes).unwrap();
                let phrase = list.phrase(&entropy);
                let (_, read) = WordList::decode(&read_words(&phrase).unwrap()).unwrap();
                // Both Chinese lists have some words, at different places: then the words agree.
                assert_eq!(*list.phrase(&read), *phrase, "{list:?}");
            }
        }
    }
}
