//! From pieces to an expression. Recursive descent; the depth is bounded by [`limits::MAX_FILTER_DEPTH`].

use super::ast::{Comparison, Expr, FieldName, Item, Literal, Relation, Span, Test};
use super::error::{Fault, FilterErrorKind as Kind};
use super::lexer::{Lexeme, Token, lex};
use crate::limits;

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expr, Fault> {
    if text.len() > limits::MAX_FILTER_BYTES {
        let end = Span::new(text.len(), text.len());
        return Err(Fault::new(Kind::TooLong(text.len()), end));
    }
    let lexemes = lex(text)?;
    let mut parser = Parser {
        lexemes: &lexemes,
        end: Lexeme {
            token: Token::End,
            span: Span::new(text.len(), text.len()),
        },
        depth: 0,
    };
    if parser.peek().token == Token::End {
        return Err(Fault::new(Kind::Empty, Span::new(0, text.len())));
    }
    let expr = parser.any()?;
    match parser.peek().token {
        Token::End => Ok(expr),
        _ => Err(parser.expected("'&&', '||' or the end")),
    }
}

struct Parser<'l, 'a> {
    lexemes: &'l [Lexeme<'a>],
    end: Lexeme<'a>,
    depth: usize,
}

impl<'a> Parser<'_, 'a> {
    fn peek(&self) -> &Lexeme<'a> {
        self.lexemes.first().unwrap_or(&self.end)
    }

    fn skip(&mut self) {
        self.lexemes = self.lexemes.get(1..).unwrap_or(&[]);
    }

    /// Takes a piece if it is this one.
    fn takes(&mut self, token: &Token<'_>) -> bool {
        let there = self.peek().token == *token;
        if there {
            self.skip();
        }
        there
    }

    /// Takes a symbol, or a word that stands for it.
    fn takes_or_word(&mut self, token: &Token<'_>, word: &str) -> bool {
        self.takes(token) || self.takes(&Token::Word(word))
    }

    fn expected(&self, wanted: &'static str) -> Fault {
        let Lexeme { token, span } = self.peek();
        let found = match token {
            Token::Word(word) => format!("'{word}'"),
            Token::Text(_) => "a text".to_owned(),
            Token::Compare(comparison) => format!("'{}'", comparison.symbol()),
            Token::And => "'&&'".to_owned(),
            Token::Or => "'||'".to_owned(),
            Token::Not => "'!'".to_owned(),
            Token::Mask => "'&'".to_owned(),
            Token::Open => "'('".to_owned(),
            Token::Close => "')'".to_owned(),
            Token::OpenBracket => "'['".to_owned(),
            Token::CloseBracket => "']'".to_owned(),
            Token::OpenBrace => "'{'".to_owned(),
            Token::CloseBrace => "'}'".to_owned(),
            Token::Comma => "','".to_owned(),
            Token::Dots => "'..'".to_owned(),
            Token::End => "the end".to_owned(),
        };
        Fault::new(Kind::Expected { wanted, found }, *span)
    }

    /// One level deeper.
    fn deeper<T>(
        &mut self,
        at: Span,
        inner: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth == limits::MAX_FILTER_DEPTH {
            return Err(Fault::new(Kind::TooDeep, at));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn any(&mut self) -> Result<Expr, Fault> {
        let mut parts = vec![self.all()?];
        while self.takes_or_word(&Token::Or, "or") {
            parts.push(self.all()?);
        }
        Ok(Expr::any(parts))
    }

    fn all(&mut self) -> Result<Expr, Fault> {
        let mut parts = vec![self.unary()?];
        while self.takes_or_word(&Token::And, "and") {
            parts.push(self.unary()?);
        }
        Ok(Expr::all(parts))
    }

    fn unary(&mut self) -> Result<Expr, Fault> {
        let at = self.peek().span;
        if self.takes_or_word(&Token::Not, "not") {
            let part = self.deeper(at, Self::unary)?;
            return Ok(Expr::Not(Box::new(part)));
        }
        if !self.takes(&Token::Open) {
            return Ok(Expr::Test(self.test()?));
        }
        let inner = self.deeper(at, Self::any)?;
        if self.takes(&Token::Close) {
            Ok(inner)
        } else {
            Err(self.expected("')'"))
        }
    }

    fn test(&mut self) -> Result<Test, Fault> {
        let field = self.field()?;
        let mask = match self.takes(&Token::Mask) {
            true => Some(self.value("the bits of a mask")?),
            false => None,
        };
        let relation = self.relation()?;
        Ok(Test {
            field,
            mask,
            relation,
        })
    }

    fn field(&mut self) -> Result<FieldName, Fault> {
        let Lexeme {
            token: Token::Word(name),
            span,
        } = *self.peek()
        else {
            return Err(self.expected("the name of a field or test"));
        };
        self.skip();
        let mut field = FieldName {
            name: name.to_owned(),
            part: None,
            element: None,
            span,
        };
        if self.takes(&Token::OpenBracket) {
            let Token::Text(part) = self.peek().token.clone() else {
                return Err(self.expected("a name in double quotes"));
            };
            self.skip();
            field.part = Some(part);
            self.close_bracket(&mut field)?;
            if self.takes(&Token::OpenBracket) {
                let number = match self.peek().token {
                    Token::Word(word) => word.parse().ok(),
                    _ => None,
                };
                field.element = Some(number.ok_or_else(|| self.expected("a number up to 255"))?);
                self.skip();
                self.close_bracket(&mut field)?;
            }
        }
        Ok(field)
    }

    fn close_bracket(&mut self, field: &mut FieldName) -> Result<(), Fault> {
        let end = self.peek().span;
        if !self.takes(&Token::CloseBracket) {
            return Err(self.expected("']'"));
        }
        field.span = field.span.to(end);
        Ok(())
    }

    fn relation(&mut self) -> Result<Relation, Fault> {
        let comparison = match self.peek().token {
            Token::Compare(comparison) => Some(comparison),
            Token::Word("eq") => Some(Comparison::Equal),
            Token::Word("ne") => Some(Comparison::Unequal),
            Token::Word("lt") => Some(Comparison::Less),
            Token::Word("le") => Some(Comparison::LessOrEqual),
            Token::Word("gt") => Some(Comparison::Greater),
            Token::Word("ge") => Some(Comparison::GreaterOrEqual),
            _ => None,
        };
        if let Some(comparison) = comparison {
            self.skip();
            return Ok(Relation::Compare(comparison, self.value("a value")?));
        }
        if self.takes(&Token::Word("contains")) {
            return Ok(Relation::Contains(self.value("a text in double quotes")?));
        }
        if self.takes(&Token::Word("matches")) {
            let wanted = "a regular expression in double quotes";
            return Ok(Relation::Matches(self.value(wanted)?));
        }
        if self.takes(&Token::Word("in")) {
            return self.set();
        }
        match self.peek().token {
            Token::End | Token::Close | Token::And | Token::Or => Ok(Relation::Exists),
            Token::Word("and" | "or") => Ok(Relation::Exists),
            _ => Err(self.expected("an operator")),
        }
    }

    fn set(&mut self) -> Result<Relation, Fault> {
        if !self.takes(&Token::OpenBrace) {
            return Err(self.expected("'{'"));
        }
        let mut items = Vec::new();
        loop {
            let first = self.value("a value")?;
            let last = match self.takes(&Token::Dots) {
                true => Some(self.value("the end of the range")?),
                false => None,
            };
            items.push(Item { first, last });
            if self.takes(&Token::CloseBrace) {
                return Ok(Relation::In(items));
            }
            if !self.takes(&Token::Comma) {
                return Err(self.expected("',' or '}'"));
            }
        }
    }

    fn value(&mut self, wanted: &'static str) -> Result<Literal, Fault> {
        let Lexeme { token, span } = self.peek().clone();
        let (text, quoted) = match token {
            Token::Word(word) => (word.as_bytes().to_vec(), false),
            Token::Text(text) => (text, true),
            _ => return Err(self.expected(wanted)),
        };
        self.skip();
        Ok(Literal { text, quoted, span })
    }
}
