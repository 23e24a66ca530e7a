//! Expressions as trees, and how they are written.

/// A test, written as an expression has it and answered over JSON.
#[derive(Debug, Clone)]
pub struct Test {
    pub field: Field,
    pub operator: Operator,
}

#[derive(Debug, Clone)]
pub enum Field {
    Own(&'static str),
    Variable(&'static str, String),
    Element(&'static str, String, u64),
    Header(&'static str),
}

#[derive(Debug, Clone)]
pub enum Operator {
    Exists,
    Compare(&'static str, Plain),
    In(Vec<Plain>, Option<(i64, i64)>),
    Contains(Vec<u8>),
    Begins(Vec<u8>),
    HasBit(String),
    Masked(u32, u32),
}

/// A value as JSON has it.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub enum Plain {
    Number(i64),
    /// A number by its name.
    Named(String),
    Text(Vec<u8>),
}

#[derive(Debug, Clone)]
pub enum Expr {
    Or(Vec<Expr>),
    And(Vec<Expr>),
    Not(Box<Expr>),
    Test(Test),
}

impl Expr {
    pub fn written(&self) -> String {
        let joined = |parts: &[Self], between: &str| {
            let parts: Vec<String> = parts.iter().map(Self::written).collect();
            format!("({})", parts.join(between))
        };
        match self {
            Self::Or(parts) => joined(parts, " || "),
            Self::And(parts) => joined(parts, " and "),
            Self::Not(part) => format!("!({})", part.written()),
            Self::Test(test) => test.written(),
        }
    }
}

impl Test {
    pub fn written(&self) -> String {
        let field = match &self.field {
            Field::Own(name) | Field::Header(name) => (*name).to_owned(),
            Field::Variable(name, part) => format!("{name}[{}]", quoted(part.as_bytes())),
            Field::Element(name, part, n) => format!("{name}[{}][{n}]", quoted(part.as_bytes())),
        };
        match &self.operator {
            Operator::Exists => field,
            Operator::Compare(operator, value) => format!("{field} {operator} {}", value.written()),
            Operator::In(several, range) => {
                let mut items: Vec<String> = several.iter().map(Plain::written).collect();
                items.extend(range.map(|(a, b)| format!("{a}..{b}")));
                format!("{field} in {{{}}}", items.join(", "))
            }
            Operator::Contains(part) => format!("{field} contains {}", quoted(part)),
            Operator::Begins(part) => {
                let bytes = part.iter().map(|b| format!("\\x{b:02x}"));
                let pattern = format!("(?s-u)^{}", bytes.collect::<String>());
                format!("{field} matches r\"{pattern}\"")
            }
            Operator::HasBit(name) => format!("{field} & {}", quoted(name.as_bytes())),
            Operator::Masked(mask, wanted) => format!("{field} & {mask:#x} == {wanted}"),
        }
    }
}

impl Plain {
    pub fn written(&self) -> String {
        match self {
            Self::Number(n) => n.to_string(),
            Self::Named(name) => quoted(name.as_bytes()),
            Self::Text(text) => quoted(text),
        }
    }
}

fn quoted(text: &[u8]) -> String {
    let bytes = text.iter().map(|b| match b {
        b'"' | b'\\' => format!("\\{}", char::from(*b)),
        0x20..0x7F => char::from(*b).to_string(),
        other => format!("\\x{other:02x}"),
    });
    format!("\"{}\"", bytes.collect::<String>())
}
