//! Cuts an expression into words, texts and operators.

use super::ast::{Comparison, Span};
use super::error::{Fault, FilterErrorKind as Kind};

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name, number, time or address.
    Word(&'a str),
    /// A text in quotes, without them and with its escapes resolved.
    Text(Vec<u8>),
    Compare(Comparison),
    And,
    Or,
    Not,
    Mask,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    Comma,
    Dots,
    End,
}

/// A piece and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lexeme<'a> {
    pub token: Token<'a>,
    pub span: Span,
}

/// All pieces of an expression, [`Token::End`] last.
pub(super) fn lex(text: &str) -> Result<Vec<Lexeme<'_>>, Fault> {
    let mut lexer = Lexer { text, at: 0 };
    let mut lexemes = Vec::new();
    loop {
        let lexeme = lexer.next()?;
        let ends = lexeme.token == Token::End;
        lexemes.push(lexeme);
        if ends {
            return Ok(lexemes);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

/// Operators of two characters come before those that begin them.
const SYMBOLS: [(&str, Token<'static>); 19] = [
    ("==", Token::Compare(Comparison::Equal)),
    ("!=", Token::Compare(Comparison::Unequal)),
    ("<=", Token::Compare(Comparison::LessOrEqual)),
    (">=", Token::Compare(Comparison::GreaterOrEqual)),
    ("<", Token::Compare(Comparison::Less)),
    (">", Token::Compare(Comparison::Greater)),
    ("&&", Token::And),
    ("||", Token::Or),
    ("!", Token::Not),
    ("&", Token::Mask),
    ("(", Token::Open),
    (")", Token::Close),
    ("[", Token::OpenBracket),
    ("]", Token::CloseBracket),
    ("{", Token::OpenBrace),
    ("}", Token::CloseBrace),
    (",", Token::Comma),
    ("..", Token::Dots),
    ("=", Token::End),
];

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn next(&mut self) -> Result<Lexeme<'a>, Fault> {
        self.at = self.text.len() - self.rest().trim_start().len();
        let start = self.at;
        let token = self.token()?;
        let span = Span::new(start, self.at);
        Ok(Lexeme { token, span })
    }

    fn token(&mut self) -> Result<Token<'a>, Fault> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Token::End);
        };
        if first == '"' {
            return self.escaped();
        }
        if rest.starts_with("r\"") {
            return self.raw();
        }
        let word = word_length(rest);
        if word > 0 {
            self.at += word;
            return Ok(Token::Word(rest.get(..word).unwrap_or("")));
        }
        let here = Span::new(self.at, self.at + first.len_utf8());
        let Some((symbol, token)) = SYMBOLS.iter().find(|(s, _)| rest.starts_with(s)) else {
            let kind = match first {
                '|' => Kind::HalfOperator('|', "or is written '||'"),
                '\'' => Kind::HalfOperator('\'', "texts stand in double quotes"),
                other => Kind::Character(other),
            };
            return Err(Fault::new(kind, here));
        };
        if *token == Token::End {
            return Err(Fault::new(
                Kind::HalfOperator('=', "equal is written '=='"),
                here,
            ));
        }
        self.at += symbol.len();
        Ok(token.clone())
    }

    /// A text without escapes: r"...".
    fn raw(&mut self) -> Result<Token<'a>, Fault> {
        let start = self.at;
        let body = self.rest().get(2..).unwrap_or("");
        let Some(end) = body.find('"') else {
            return Err(Fault::new(Kind::OpenQuote, Span::new(start, start + 2)));
        };
        self.at += 2 + end + 1;
        Ok(Token::Text(
            body.as_bytes().get(..end).unwrap_or(&[]).into(),
        ))
    }

    /// A text with escapes.
    fn escaped(&mut self) -> Result<Token<'a>, Fault> {
        let start = self.at;
        let mut text = Vec::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + at + 1;
                    return Ok(Token::Text(text));
                }
                '\\' => {
                    let here = Span::new(start + at, (start + at + 2).min(self.text.len()));
                    let fault = || Fault::new(Kind::Escape, here);
                    match chars.next().map(|(_, c)| c) {
                        Some(c @ ('"' | '\\')) => text.push(if c == '"' { b'"' } else { b'\\' }),
                        Some('n') => text.push(b'\n'),
                        Some('r') => text.push(b'\r'),
                        Some('t') => text.push(b'\t'),
                        Some('0') => text.push(0),
                        Some('x') => {
                            let mut digit = || chars.next().and_then(|(_, c)| c.to_digit(16));
                            let (high, low) = (digit(), digit());
                            let byte = high.zip(low).map(|(high, low)| high * 16 + low);
                            let byte = byte.and_then(|b| u8::try_from(b).ok());
                            text.push(byte.ok_or_else(fault)?);
                        }
                        // The quote is missing, which the end will tell.
                        None => {}
                        Some(other) => {
                            let end = here.end - 1 + other.len_utf8();
                            return Err(Fault::new(Kind::Escape, Span::new(here.start, end)));
                        }
                    }
                }
                other => {
                    let mut buffer = [0; 4];
                    text.extend_from_slice(other.encode_utf8(&mut buffer).as_bytes());
                }
            }
        }
        Err(Fault::new(Kind::OpenQuote, Span::new(start, start + 1)))
    }
}

/// Bytes of the word with which a text begins; 0 when it begins with none. Two dots in a row are no part of a word.
fn word_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let begins = match at(0) {
        b'_' => true,
        b'-' => at(1).is_ascii_digit(),
        // An IPv6 address.
        b':' => at(1) == b':',
        other => other.is_ascii_alphanumeric(),
    };
    if !begins {
        return 0;
    }
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b"_.:/+-".contains(&b);
    (1..)
        .take_while(|i| is_word(at(*i)) && !(at(*i) == b'.' && at(*i + 1) == b'.'))
        .last()
        .map_or(1, |last| last + 1)
}
