//! Finds and replaces text however a formatter breaks it: between any two tokens may be space, or a comma at the end of
//! a line. Pure.

use std::ops::Range;

/// Where the text stands.
pub fn find(source: &str, text: &str) -> Vec<Range<usize>> {
    let (tokens, wanted) = (split_tokens(source), split_tokens(text));
    let mut found = Vec::new();
    let mut place = 0;

    while place < tokens.len() {
        let count = count_matching(&tokens[place..], &wanted);
        if let Some(last) = count.checked_sub(1) {
            found.push(tokens[place].place.start..tokens[place + last].place.end);
        }
        place += count.max(1);
    }
    found
}

/// The source with another text there.
pub fn replace(source: &str, place: Range<usize>, replacement: &str) -> String {
    [&source[..place.start], replacement, &source[place.end..]].concat()
}

/// A word, or a sign that is neither letter nor space.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Token<'a> {
    text: &'a str,
    place: Range<usize>,
}

impl Token<'_> {
    fn is_continued_by(&self, sign: char, start: usize) -> bool {
        let is_word = self.text.chars().all(is_of_word);
        is_word && is_of_word(sign) && self.place.end == start
    }

    fn is_closing(&self) -> bool {
        matches!(self.text, ")" | "]" | "}")
    }
}

fn split_tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();

    for (start, sign) in text.char_indices() {
        let place = start..start + sign.len_utf8();
        match tokens.last_mut() {
            _ if sign.is_whitespace() => {}
            Some(word) if word.is_continued_by(sign, start) => {
                word.place.end = place.end;
                word.text = &text[word.place.clone()];
            }
            _ => tokens.push(Token {
                text: &text[place.clone()],
                place,
            }),
        }
    }

    tokens
}

fn is_of_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

/// How many tokens the text takes at the beginning of these; 0 when it does not stand there.
fn count_matching(tokens: &[Token<'_>], wanted: &[Token<'_>]) -> usize {
    let mut count = 0;
    for token in wanted {
        let is_comma_at_end = count > 0
            && token.is_closing()
            && tokens.get(count).is_some_and(|found| found.text == ",");
        count += usize::from(is_comma_at_end);

        if tokens.get(count).map(|found| found.text) != Some(token.text) {
            return 0;
        }
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(source: &'a str, text: &str) -> Vec<&'a str> {
        find(source, text)
            .into_iter()
            .map(|place| &source[place])
            .collect()
    }

    #[test]
    fn text_is_found_however_it_is_broken() {
        let broken =
            "let a = self\n    .guard\n    .permit(\n        slot,\n        digest,\n    )?;\n";
        assert_eq!(
            found(broken, "self.guard.permit(slot, digest)?;"),
            ["self\n    .guard\n    .permit(\n        slot,\n        digest,\n    )?;"]
        );
    }

    #[test]
    fn words_are_whole() {
        assert!(found("unlock(&file)?;", "lock(&file)?;").is_empty());
        assert!(found("self.is_syncing = true;", "self.is_s").is_empty());
        assert!(found("returnif a", "return if a").is_empty());
    }

    #[test]
    fn a_comma_is_only_left_out_at_an_end() {
        assert_eq!(found("f(a, b,)", "f(a, b)"), ["f(a, b,)"]);
        assert!(found("f(a, b)", "f(a b)").is_empty());
        assert!(found(", )", ")").contains(&")"));
    }

    #[test]
    fn each_place_is_found_once() {
        assert_eq!(find("a a a", "a").len(), 3);
        assert_eq!(find("a a a", "a a").len(), 1);
        assert!(find("a", "").is_empty());
    }

    #[test]
    fn only_the_text_is_replaced() {
        let source = "    lock( &file, path )?;\n    next\n";
        let place = find(source, "lock(&file, path)?;").remove(0);
        assert_eq!(
            replace(source, place, "let _ = lock;"),
            "    let _ = lock;\n    next\n"
        );
    }
}
