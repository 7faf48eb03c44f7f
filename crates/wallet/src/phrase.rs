//! Words as people keep them: in any case and spelling, with any space or mark between, numbered or not.

use crate::mnemonic::MnemonicError;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// A word in small letters without accents, as its letters are compared.
pub(crate) type FoldedWord = Zeroizing<String>;

/// A word with the number that stands before it, if there is one.
struct Listed {
    number: Option<u32>,
    word: FoldedWord,
}

/// The words of a text in their order. Where they are numbered the numbers say the order, since a table may be read
/// along its columns.
pub(crate) fn read_words(text: &str) -> Result<Vec<FoldedWord>, MnemonicError> {
    let mut listed = split_text(text);
    let found = listed.len();
    if !matches!(found, 12 | 15 | 18 | 21 | 24) {
        return Err(MnemonicError::WordCount { found });
    }

    if listed.iter().any(|word| word.number.is_some()) {
        listed.sort_by_key(|word| word.number);
        let fits = |(word, place): (&Listed, u32)| word.number == Some(place);
        if !listed.iter().zip(1..).all(fits) {
            return Err(MnemonicError::Numbers { words: found });
        }
    }

    Ok(listed.into_iter().map(|word| word.word).collect())
}

/// No list has a word with a digit, a space or a mark in it.
fn split_text(text: &str) -> Vec<Listed> {
    let folded = fold_letters(text);
    let mut listed = Vec::new();
    let mut number = None;

    for part in folded.split(|letter| !is_part_of_a_word(letter)) {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, word) = part.split_at(digits);

        if !digits.is_empty() {
            number = Some(digits.parse().unwrap_or(u32::MAX));
        }
        if !word.is_empty() {
            listed.push(Listed {
                number: number.take(),
                word: Zeroizing::new(word.to_owned()),
            });
        }
    }

    listed
}

/// Whether a word of a list, which is in small letters and decomposed, is this one.
pub(crate) fn is_same_word(listed: &str, word: &FoldedWord) -> bool {
    listed
        .chars()
        .filter(|letter| !is_dropped(*letter))
        .eq(word.chars())
}

/// Decomposed, in small letters, without accents: BIP-39 chose its words so that none needs them to be told apart.
fn fold_letters(text: &str) -> Zeroizing<String> {
    let letters = || {
        text.chars()
            // Decomposed, it would be the letters N and o.
            .map(|letter| if letter == '№' { ' ' } else { letter })
            .nfkd()
            .flat_map(char::to_lowercase)
            .filter(|letter| !is_dropped(*letter))
    };

    // As long as needed from the start: a string that grows leaves copies behind.
    let bytes = letters().map(char::len_utf8).sum();
    let mut folded = Zeroizing::new(String::with_capacity(bytes));
    folded.extend(letters());
    folded
}

/// Accents, and what is invisible inside of words that were copied from a page.
const fn is_dropped(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200c}'..='\u{200f}' | '\u{2060}')
}

/// The marks that make が of か are no letters by themselves.
fn is_part_of_a_word(letter: char) -> bool {
    letter.is_alphabetic() || letter.is_ascii_digit() || matches!(letter, '\u{3099}' | '\u{309a}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 12] = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];

    fn numbered(write: impl Fn(usize, &str) -> String) -> String {
        let listed = WORDS.iter().enumerate();
        listed.map(|(at, word)| write(at + 1, word)).collect()
    }

    fn read(text: &str) -> Vec<String> {
        let words = read_words(text).unwrap();
        words.iter().map(|word| word.to_string()).collect()
    }

    #[test]
    fn words_are_found_between_whatever_stands_between_them() {
        for between in [
            " ", "\t", "\r\n", "\u{a0}", "\u{3000}", "\u{2003}", ", ", ",", ";", " - ", "\u{feff}",
            "\u{200b}", "\" \"", " • ",
        ] {
            let text = format!("\u{feff} {}\n", WORDS.join(between));
            assert_eq!(read(&text), WORDS, "{between:?}");
        }
        assert_eq!(read(&WORDS.join(" ").to_uppercase()), WORDS);
        assert_eq!(read(&WORDS.join(" ").replace("tw", "t\u{ad}w")), WORDS);
    }

    #[test]
    fn numbers_say_the_order() {
        let lists = [
            numbered(|at, word| format!("{at:>4} {word:<9}")),
            numbered(|at, word| format!("{at}. {word}\n")),
            numbered(|at, word| format!("{at}.{word} ")),
            numbered(|at, word| format!("{at}){word}\t")),
            numbered(|at, word| format!("({at}) {word}\r\n")),
            numbered(|at, word| format!("#{at:02}: {word}, ")),
            numbered(|at, word| format!("№{at} {word} ")),
        ];
        for text in lists {
            assert_eq!(read(&text), WORDS, "{text}");
        }

        let mut columns = String::new();
        for row in 0..4 {
            for at in [row, row + 4, row + 8] {
                columns.push_str(&format!("{}. {} ", at + 1, WORDS[at]));
            }
        }
        assert_eq!(read(&columns), WORDS, "{columns}");
    }

    #[test]
    fn numbers_that_are_no_order_are_refused() {
        let wrong = [
            numbered(|at, word| format!("{} {word} ", at + 1)),
            numbered(|at, word| format!("{}/12 {word} ", at)),
            numbered(|at, word| format!("{} {word} ", at.min(11))),
            numbered(|at, word| format!("{word} {at} ")),
            numbered(|at, word| format!("99999999999{at} {word} ")),
        ];
        for text in wrong {
            let refused = read_words(&text).unwrap_err();
            assert_eq!(refused, MnemonicError::Numbers { words: 12 }, "{text}");
        }
    }
}
