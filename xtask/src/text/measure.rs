//! What stands in one file. Pure.

use proc_macro2::{Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, ImplItemFn, ItemFn, ItemMod, Meta, Signature, TraitItemFn};

/// A function with this many lines wants air.
const LONG_LINES: usize = 15;

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The file, as git names it.
    pub file: PathBuf,
    /// Its first line there.
    pub line: usize,
    pub name: String,
    /// Whether it belongs to no type and no trait.
    pub is_free: bool,
    /// Its lines from signature to brace, blank ones left out.
    pub lines: usize,
    /// Whether there is a blank line or a comment in its body.
    pub has_air: bool,
}

impl Function {
    /// Whether it is long and nothing divides it.
    pub fn is_dense(&self) -> bool {
        self.lines >= LONG_LINES && !self.has_air
    }

    /// Whether it is long.
    pub const fn is_long(&self) -> bool {
        self.lines >= LONG_LINES
    }
}

/// What was found in one file, or in many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Functions with a body.
    pub functions: Vec<Function>,
    /// Tokens, doc comments left out.
    pub tokens: usize,
    /// Lines on which a token begins or ends.
    pub code_lines: usize,
    /// How many words each doc comment has.
    pub doc_words: Vec<usize>,
}

impl Measured {
    /// Adds what was found in another file.
    pub fn extend(&mut self, other: Self) {
        self.functions.extend(other.functions);
        self.tokens += other.tokens;
        self.code_lines += other.code_lines;
        self.doc_words.extend(other.doc_words);
    }
}

/// Measures a file; what is compiled for tests only is left out.
pub fn measure(file: &Path, text: &str) -> syn::Result<Measured> {
    let mut parsed = syn::parse_file(text)?;
    parsed
        .items
        .retain(|item| !is_for_tests(attributes_of(item)));

    let mut walk = Walk {
        file,
        lines: text.lines().collect(),
        measured: Measured::default(),
    };
    walk.visit_file(&parsed);

    let mut lines = BTreeSet::new();
    count_tokens(parsed.into_token_stream(), &mut walk.measured, &mut lines);
    walk.measured.code_lines = lines.len();
    Ok(walk.measured)
}

fn attributes_of(item: &syn::Item) -> &[Attribute] {
    match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        _ => &[],
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

/// Tokens of a stream, a pair of brackets as two; doc comments are no code.
fn count_tokens(stream: TokenStream, measured: &mut Measured, lines: &mut BTreeSet<usize>) {
    let mut tokens = stream.into_iter().peekable();
    // Of the doc comment that is being read: whether it is the file's own, and its words.
    let mut doc: Option<(bool, usize)> = None;
    while let Some(token) = tokens.next() {
        if is_punct(&token, '#') {
            let is_inner = tokens.next_if(|next| is_punct(next, '!')).is_some();
            if let Some(words) = tokens.peek().and_then(words_of_doc) {
                tokens.next();
                let before = doc.filter(|(inner, _)| *inner == is_inner);
                let ended = doc.filter(|(inner, _)| *inner != is_inner);
                measured.doc_words.extend(ended.map(|(_, words)| words));
                doc = Some((is_inner, before.map_or(0, |(_, words)| words) + words));
                continue;
            }
            measured.tokens += usize::from(is_inner);
        }
        measured
            .doc_words
            .extend(doc.take().map(|(_, words)| words));

        let span = token.span();
        lines.extend([span.start().line, span.end().line]);
        match token {
            TokenTree::Group(group) => {
                measured.tokens += 2;
                count_tokens(group.stream(), measured, lines);
            }
            // `::` and `=>` are one.
            TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint => {}
            _ => measured.tokens += 1,
        }
    }
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// How many words one line of a doc comment has: `[doc = "…"]`.
fn words_of_doc(token: &TokenTree) -> Option<usize> {
    let TokenTree::Group(group) = token else {
        return None;
    };
    let mut inside = group.stream().into_iter();
    let (name, _, text) = (inside.next()?, inside.next()?, inside.next()?);
    let is_doc = matches!(name, TokenTree::Ident(ident) if ident == "doc");

    // A file that is included has words enough.
    let text = text.to_string();
    is_doc.then(|| text.trim_matches('"').split_whitespace().count())
}

struct Walk<'a> {
    file: &'a Path,
    lines: Vec<&'a str>,
    measured: Measured,
}

impl Walk<'_> {
    fn function(&mut self, signature: &Signature, body: &Block, is_free: bool) {
        let (first, last) = (signature.span().start().line, body.span().end().line);
        let inside = self.between(body.span().start().line + 1, last.saturating_sub(1));
        let has_air = inside
            .iter()
            .any(|line| line.trim().is_empty() || line.trim().starts_with("//"));
        let all = self.between(first, last);
        let lines = all.iter().filter(|line| !line.trim().is_empty()).count();

        self.measured.functions.push(Function {
            file: self.file.to_owned(),
            line: first,
            name: signature.ident.to_string(),
            is_free,
            lines,
            has_air,
        });
    }

    /// Lines of the file, counted from 1, both ends included.
    fn between(&self, first: usize, last: usize) -> &[&str] {
        let last = last.min(self.lines.len());
        self.lines.get(first.saturating_sub(1)..last).unwrap_or(&[])
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_for_tests(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.function(&function.sig, &function.block, true);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.function(&function.sig, &function.block, false);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(body) = &function.default {
            self.function(&function.sig, body, false);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
//! A file.

/// Which.
pub struct A {
    /// The number of it, from 1 on.
    pub number: u64,
}

fn short() -> u64 {
    1
}

impl A {
    fn of_a_type(&self) -> u64 {
        // Why.
        self.number
    }
}

#[cfg(test)]
mod tests {
    fn not_counted() {}
}
"#;

    #[test]
    fn a_file_is_measured_without_its_tests() {
        let measured = measure(Path::new("a.rs"), TEXT).unwrap();

        let found: Vec<_> = measured
            .functions
            .iter()
            .map(|one| (one.name.as_str(), one.is_free, one.lines, one.has_air))
            .collect();
        assert_eq!(
            found,
            [("short", true, 3, false), ("of_a_type", false, 4, true)]
        );
        assert_eq!(measured.doc_words, [2, 1, 7]);
        assert_eq!(measured.code_lines, 11);
    }

    #[test]
    fn only_what_is_long_and_undivided_is_dense() {
        let body = "    let a = 1;\n".repeat(20);
        let dense = measure(Path::new("a.rs"), &format!("fn long_one() {{\n{body}}}\n")).unwrap();
        assert!(dense.functions[0].is_dense());

        let airy = format!("fn long_one() {{\n{body}\n{body}}}\n");
        let airy = measure(Path::new("a.rs"), &airy).unwrap();
        assert!(airy.functions[0].is_long() && !airy.functions[0].is_dense());
    }

    #[test]
    fn what_is_no_rust_is_an_error() {
        assert!(measure(Path::new("a.rs"), "fn (").is_err());
    }
}
