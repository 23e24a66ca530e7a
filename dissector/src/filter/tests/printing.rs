//! An expression, printed and read again, is the same expression; and no text whatever makes trouble.

use super::{agent_state, call_data};
use crate::decode::Decoder;
use crate::filter::ast::{Comparison, Expr, FieldName, Item, Literal, Relation, Span, Test};
use crate::filter::{Filter, parser};
use proptest::prelude::*;

fn literal() -> impl Strategy<Value = Literal> {
    let word = "[a-zA-Z0-9_][a-zA-Z0-9_:/+-]{0,8}";
    let word = word.prop_map(|word: String| (word.into_bytes(), false));
    let quoted = proptest::collection::vec(any::<u8>(), 0..8).prop_map(|text| (text, true));
    let text = "[ -~é☎\n\t\"\\\\]{0,8}".prop_map(|text: String| (text.into_bytes(), true));
    prop_oneof![word, quoted, text].prop_map(|(text, quoted)| Literal {
        text,
        quoted,
        span: Span::default(),
    })
}

fn field() -> impl Strategy<Value = FieldName> {
    let name = "[A-Z][A-Za-z_0-9]{0,8}";
    let part = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..6));
    (name, part, proptest::option::of(any::<u8>())).prop_map(|(name, part, element)| FieldName {
        name,
        element: element.filter(|_| part.is_some()),
        part,
        span: Span::default(),
    })
}

fn test() -> impl Strategy<Value = Expr> {
    let comparison = prop_oneof![
        Just(Comparison::Equal),
        Just(Comparison::Unequal),
        Just(Comparison::Less),
        Just(Comparison::LessOrEqual),
        Just(Comparison::Greater),
        Just(Comparison::GreaterOrEqual),
    ];
    let item = (literal(), proptest::option::of(literal()));
    let item = item.prop_map(|(first, last)| Item { first, last });
    let relation = prop_oneof![
        Just(Relation::Exists),
        (comparison, literal()).prop_map(|(c, l)| Relation::Compare(c, l)),
        proptest::collection::vec(item, 1..4).prop_map(Relation::In),
        literal().prop_map(Relation::Contains),
        literal().prop_map(Relation::Matches),
    ];
    let parts = (field(), proptest::option::of(literal()), relation);
    parts.prop_map(|(field, mask, relation)| {
        Expr::Test(Test {
            field,
            mask,
            relation,
        })
    })
}

fn expr() -> impl Strategy<Value = Expr> {
    test().prop_recursive(5, 40, 4, |inner| {
        let several = || proptest::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            several().prop_map(Expr::any),
            several().prop_map(Expr::all),
            inner.clone().prop_map(|e| Expr::Not(Box::new(e))),
        ]
    })
}

/// Without the places, which differ.
fn placeless(expr: &Expr) -> String {
    let text = format!("{expr:?}");
    let mut out = String::new();
    for piece in text.split("Span {") {
        let rest = match out.is_empty() {
            true => piece,
            false => piece.split_once('}').map_or("", |(_, rest)| rest),
        };
        out.push_str(rest);
    }
    out
}

/// Compiles a text. What comes of it is printed, read again and evaluated; or the error is looked at.
fn exercise(text: &str) {
    match Filter::parse(text) {
        Ok(filter) => {
            let again = Filter::parse(&filter.to_string()).unwrap();
            assert_eq!(again.to_string(), filter.to_string());
            for sample in [agent_state(), call_data()] {
                let passes =
                    |f: &Filter| f.matches(&sample.info, &sample.bytes, &mut Decoder::new());
                assert_eq!(passes(&filter), passes(&again), "{filter}");
            }
        }
        Err(error) => {
            assert!(text.get(error.range().clone()).is_some(), "{error}");
            assert_eq!(error.pointer().lines().count(), 2, "{error}");
        }
    }
}

proptest! {
    #[test]
    fn what_is_printed_reads_as_the_same(expr in expr()) {
        let printed = expr.to_string();
        let again = parser::parse(&printed);
        let again = again.map_err(|fault| TestCaseError::fail(format!("{printed}: {fault:?}")))?;
        prop_assert_eq!(placeless(&again), placeless(&expr), "{}", printed);
        prop_assert_eq!(again.to_string(), printed);
    }

    #[test]
    fn no_text_makes_trouble(text in any::<String>()) {
        exercise(&text);
    }

    #[test]
    fn no_row_of_words_and_signs_makes_trouble(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "AgentID", "ConnectionCallID", "NamedVariable", "NamedArray", "AgentState", "name",
                "time", "src", "status", "findings", "severity", "latency_ms", "session", "==", "!=",
                "<", ">=", "in", "{", "}", "..", ",", "(", ")", "[", "]", "!", "&&", "||", "&", "and",
                "not", "contains", "matches", "\"a\"", "\"", "r\"[\"", "1", "0x1f", "-1", "TALKING",
                "10.0.0.0/8", "10:15", "failed", "unknown_tag", "OPEN_REQ", "\\",
            ]),
            0..12,
        ),
    ) {
        exercise(&words.join(" "));
        exercise(&words.concat());
    }
}
