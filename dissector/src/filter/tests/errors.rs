//! What is said of expressions that make no sense, and where it points.

use crate::filter::{Filter, FilterErrorKind};
use crate::limits;

/// The error and its place.
fn said(text: &str) -> String {
    let error = match Filter::parse(text) {
        Ok(filter) => panic!("{text} is {filter}"),
        Err(error) => error,
    };
    assert!(text.get(error.range().clone()).is_some(), "{error}");
    format!("{error}\n{}", error.pointer())
}

#[test]
fn an_error_points_at_its_place_and_suggests_what_was_meant() {
    insta::assert_snapshot!(said("name == AGENT_STATE_EVNT && AgentID"), @"");
    insta::assert_snapshot!(said(r#"session == 1 && AgntID == "1001""#), @"");
    insta::assert_snapshot!(said(r#"agentid == "1001""#), @"");
    insta::assert_snapshot!(said("AgentID == 1001"), @"");
    insta::assert_snapshot!(said("AgentState == NOT_REDY"), @"");
    insta::assert_snapshot!(said("PeripheralOnline == maybe"), @"");
    insta::assert_snapshot!(said("ConnectionCallID == \"abc\""), @"");
    insta::assert_snapshot!(said("SilentMonitorStatus == xyzzy"), @"");
    insta::assert_snapshot!(said("status == faild"), @"");
    insta::assert_snapshot!(said("findings == unknown_tags"), @"");
    insta::assert_snapshot!(said("direction == up"), @"");
}

#[test]
fn types_and_operators_must_go_together() {
    insta::assert_snapshot!(said("AgentState == 65536"), @"");
    insta::assert_snapshot!(said("ConnectionCallID contains \"1\""), @"");
    insta::assert_snapshot!(said("AgentID & 4"), @"");
    insta::assert_snapshot!(said("name < OPEN_REQ"), @"");
    insta::assert_snapshot!(said("src == 10.0.0.256"), @"");
    insta::assert_snapshot!(said("src in {10.0.0.1..10.0.0.9}"), @"");
    insta::assert_snapshot!(said("time >= noon"), @"");
    insta::assert_snapshot!(said("latency_ms > 5s"), @"");
    insta::assert_snapshot!(said("session in {5..1}"), @"");
    insta::assert_snapshot!(said("AgentID[\"x\"] == \"1\""), @"");
    insta::assert_snapshot!(said("NamedVariable[\"x\"][1] == \"1\""), @"");
    insta::assert_snapshot!(said("AgentID matches \"(\""), @"");
    insta::assert_snapshot!(said("AgentID matches \"(a{1000}){1000}\""), @"");
}

#[test]
fn half_an_expression() {
    insta::assert_snapshot!(said(""), @"");
    insta::assert_snapshot!(said("AgentID = \"1\""), @"");
    insta::assert_snapshot!(said("AgentID == '1'"), @"");
    insta::assert_snapshot!(said("AgentID == \"1"), @"");
    insta::assert_snapshot!(said("AgentID == \"\\d\""), @"");
    insta::assert_snapshot!(said("(AgentID"), @"");
    insta::assert_snapshot!(said("AgentID &&"), @"");
    insta::assert_snapshot!(said("AgentID AgentState"), @"");
    insta::assert_snapshot!(said("session in {1, 2"), @"");
    insta::assert_snapshot!(said("session == 1 § 2"), @"");
    insta::assert_snapshot!(said("session == 1 | session == 2"), @"");
}

#[test]
fn depth_size_and_patterns_are_bounded() {
    let kind = |text: &str| Filter::parse(text).map(drop).map_err(|e| e.kind().clone());
    for open in ["(", "!", "not ", "!("] {
        let text = open.repeat(20_000);
        assert_eq!(kind(&text), Err(FilterErrorKind::TooDeep), "{open}");
    }
    let deep = limits::MAX_FILTER_DEPTH;
    let nested = |depth: usize| format!("{}AgentID{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(kind(&nested(deep)), Ok(()));
    assert_eq!(kind(&nested(deep + 1)), Err(FilterErrorKind::TooDeep));
    // Breadth costs no depth.
    let wide = vec!["session==1"; 5000].join("||");
    assert_eq!(kind(&wide), Ok(()));
    let long = " ".repeat(limits::MAX_FILTER_BYTES + 1);
    assert_eq!(kind(&long), Err(FilterErrorKind::TooLong(long.len())));
    let patterns = |n: usize| vec!["name matches \"a\""; n].join(" && ");
    assert_eq!(kind(&patterns(limits::MAX_FILTER_PATTERNS)), Ok(()));
    let many = patterns(limits::MAX_FILTER_PATTERNS + 1);
    assert_eq!(kind(&many), Err(FilterErrorKind::TooManyPatterns));
}

#[test]
fn the_pointer_shows_the_surroundings_of_a_long_expression_and_no_control_characters() {
    let long = format!(
        "{}nosuchfield{}",
        "AgentID && ".repeat(30),
        " && AgentID".repeat(30)
    );
    insta::assert_snapshot!(Filter::parse(&long).unwrap_err().pointer(), @"");
    insta::assert_snapshot!(Filter::parse("session\t==\u{202e}1").unwrap_err().pointer(), @"");
}
