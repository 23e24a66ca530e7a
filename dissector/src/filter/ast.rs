//! An expression as it is written, not yet understood: names and values are texts with their places.

use std::cmp::Ordering;
use std::fmt::{self, Display as _, Write as _};

/// A place in the expression, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub const fn to(self, other: Self) -> Self {
        Self::new(self.start, other.end)
    }
}

/// An expression. [`Expr::any`] and [`Expr::all`] keep it flat: no `Or` directly in an `Or`, no `And` in an `And`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expr {
    Or(Vec<Self>),
    And(Vec<Self>),
    Not(Box<Self>),
    Test(Test),
}

impl Expr {
    /// One of several; one alone stands for itself.
    pub fn any(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::Or(parts) => parts,
            other => vec![other],
        });
        single_or(flat.collect(), Self::Or)
    }

    /// All of several; one alone stands for itself.
    pub fn all(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::And(parts) => parts,
            other => vec![other],
        });
        single_or(flat.collect(), Self::And)
    }
}

fn single_or(mut parts: Vec<Expr>, several: fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.len() {
        1 => parts.pop().unwrap_or(Expr::Or(Vec::new())),
        _ => several(parts),
    }
}

/// A question about one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Test {
    pub field: FieldName,
    pub mask: Option<Literal>,
    pub relation: Relation,
}

/// The name of a field, and which of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldName {
    pub name: String,
    /// The name in brackets.
    pub part: Option<Vec<u8>>,
    /// The number in brackets behind it.
    pub element: Option<u8>,
    pub span: Span,
}

/// What is asked about a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Relation {
    Exists,
    Compare(Comparison, Literal),
    In(Vec<Item>),
    Contains(Literal),
    Matches(Literal),
}

impl Relation {
    /// The operator, as the expression has it.
    pub const fn operator(&self) -> &'static str {
        match self {
            Self::Exists => "",
            Self::Compare(comparison, _) => comparison.symbol(),
            Self::In(_) => "in",
            Self::Contains(_) => "contains",
            Self::Matches(_) => "matches",
        }
    }
}

/// One entry of a set: first and last value of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub first: Literal,
    pub last: Option<Literal>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    pub text: Vec<u8>,
    pub quoted: bool,
    pub span: Span,
}

impl Literal {
    /// The text, as far as it is UTF-8.
    pub fn word(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether two values in this order meet it.
    pub const fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(parts) => joined(f, parts, " || ", |_| false),
            Self::And(parts) => joined(f, parts, " && ", |part| matches!(part, Self::Or(_))),
            Self::Not(part) => match &**part {
                Self::Not(_) => write!(f, "!{part}"),
                Self::Test(test) if test.relation == Relation::Exists && test.mask.is_none() => {
                    write!(f, "!{part}")
                }
                _ => write!(f, "!({part})"),
            },
            Self::Test(test) => test.fmt(f),
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expr],
    between: &str,
    needs_parentheses: fn(&Expr) -> bool,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        if needs_parentheses(part) {
            write!(f, "({part})")?;
        } else {
            part.fmt(f)?;
        }
    }
    Ok(())
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.field.fmt(f)?;
        if let Some(mask) = &self.mask {
            write!(f, " & {mask}")?;
        }
        match &self.relation {
            Relation::Exists => Ok(()),
            Relation::Compare(comparison, value) => write!(f, " {} {value}", comparison.symbol()),
            Relation::Contains(value) => write!(f, " contains {value}"),
            Relation::Matches(value) => write!(f, " matches {value}"),
            Relation::In(items) => {
                f.write_str(" in {")?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    item.first.fmt(f)?;
                    if let Some(last) = &item.last {
                        write!(f, "..{last}")?;
                    }
                }
                f.write_char('}')
            }
        }
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(part) = &self.part {
            f.write_char('[')?;
            quoted(f, part)?;
            f.write_char(']')?;
        }
        match self.element {
            Some(element) => write!(f, "[{element}]"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quoted {
            quoted(f, &self.text)
        } else {
            f.write_str(&self.word())
        }
    }
}

/// A text in quotes, with escapes for what would not come through.
fn quoted(f: &mut fmt::Formatter<'_>, text: &[u8]) -> fmt::Result {
    f.write_char('"')?;
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if c.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        for byte in chunk.invalid() {
            write!(f, "\\x{byte:02x}")?;
        }
    }
    f.write_char('"')
}
