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
    insta::assert_snapshot!(said("name == AGENT_STATE_EVNT && AgentID"), @r##"
    no message is called 'AGENT_STATE_EVNT'; did you mean AGENT_STATE_EVENT?
    name == AGENT_STATE_EVNT && AgentID
            ^^^^^^^^^^^^^^^^
    "##);
    insta::assert_snapshot!(said(r#"session == 1 && AgntID == "1001""#), @r##"
    no field or test is called 'AgntID'; did you mean AgentID?
    session == 1 && AgntID == "1001"
                    ^^^^^^
    "##);
    insta::assert_snapshot!(said(r#"agentid == "1001""#), @r##"
    no field or test is called 'agentid'; did you mean AgentID?
    agentid == "1001"
    ^^^^^^^
    "##);
    insta::assert_snapshot!(said("AgentID == 1001"), @r##"
    AgentID is a text; write "1001" in double quotes
    AgentID == 1001
               ^^^^
    "##);
    insta::assert_snapshot!(said("AgentState == NOT_REDY"), @r##"
    'NOT_REDY' is no value of AgentState; did you mean NOT_READY?
    AgentState == NOT_REDY
                  ^^^^^^^^
    "##);
    insta::assert_snapshot!(said("PeripheralOnline == maybe"), @r##"
    PeripheralOnline is true or false; compare it with true or false
    PeripheralOnline == maybe
                        ^^^^^
    "##);
    insta::assert_snapshot!(said("ConnectionCallID == \"abc\""), @r##"
    ConnectionCallID is a number; compare it with a number, decimal or 0x hexadecimal
    ConnectionCallID == "abc"
                        ^^^^^
    "##);
    insta::assert_snapshot!(said("SilentMonitorStatus == xyzzy"), @r##"
    'xyzzy' is no value of SilentMonitorStatus; it has NONE, INITIATOR, TARGET
    SilentMonitorStatus == xyzzy
                           ^^^^^
    "##);
    insta::assert_snapshot!(said("status == faild"), @r##"
    'faild' is no value of status; did you mean failed?
    status == faild
              ^^^^^
    "##);
    insta::assert_snapshot!(said("findings == unknown_tags"), @r##"
    'unknown_tags' is no value of findings; did you mean unknown_tag, unknown_type?
    findings == unknown_tags
                ^^^^^^^^^^^^
    "##);
    insta::assert_snapshot!(said("direction == up"), @r##"
    'up' is no value of direction; it has client-to-server, server-to-client
    direction == up
                 ^^
    "##);
}

#[test]
fn types_and_operators_must_go_together() {
    insta::assert_snapshot!(said("AgentState == 65536"), @r##"
    AgentState holds 0 to 65535
    AgentState == 65536
                  ^^^^^
    "##);
    insta::assert_snapshot!(said("ConnectionCallID contains \"1\""), @r##"
    'contains' does not go with ConnectionCallID, which is a number
    ConnectionCallID contains "1"
    ^^^^^^^^^^^^^^^^
    "##);
    insta::assert_snapshot!(said("AgentID & 4"), @r##"
    '&' does not go with AgentID, which is a text
    AgentID & 4
    ^^^^^^^
    "##);
    insta::assert_snapshot!(said("name < OPEN_REQ"), @r##"
    '<' does not go with name, which is the name of a message
    name < OPEN_REQ
    ^^^^
    "##);
    insta::assert_snapshot!(said("src == 10.0.0.256"), @r##"
    src is an address and a port; write 10.0.0.5, 10.0.0.5:42027, 10.0.0.0/24, 42027, or "[2001:db8::1]:42027"
    src == 10.0.0.256
           ^^^^^^^^^^
    "##);
    insta::assert_snapshot!(said("src in {10.0.0.1..10.0.0.9}"), @r##"
    src is an address and a port; only ports have ranges; write addresses as a network such as 10.0.0.0/24
    src in {10.0.0.1..10.0.0.9}
            ^^^^^^^^
    "##);
    insta::assert_snapshot!(said("time >= noon"), @r##"
    time is a time; write it as 10:15, 10:15:00.250, 2026-11-23T10:15:00Z or "2026-11-23 10:15"
    time >= noon
            ^^^^
    "##);
    insta::assert_snapshot!(said("latency_ms > 5s"), @r##"
    latency_ms is a number; compare it with milliseconds such as 250 or 1.5
    latency_ms > 5s
                 ^^
    "##);
    insta::assert_snapshot!(said("session in {5..1}"), @r##"
    the range ends before it begins
    session in {5..1}
                ^^^^
    "##);
    insta::assert_snapshot!(said("AgentID[\"x\"] == \"1\""), @r##"
    AgentID has no parts to choose from; NamedVariable["name"] and NamedArray["name"][1] have
    AgentID["x"] == "1"
    ^^^^^^^^^^^^
    "##);
    insta::assert_snapshot!(said("NamedVariable[\"x\"][1] == \"1\""), @r##"
    NamedVariable has no parts to choose from; NamedVariable["name"] and NamedArray["name"][1] have
    NamedVariable["x"][1] == "1"
    ^^^^^^^^^^^^^^^^^^^^^
    "##);
    insta::assert_snapshot!(said("AgentID matches \"(\""), @r##"
    not a regular expression: unclosed group
    AgentID matches "("
                    ^^^
    "##);
    insta::assert_snapshot!(said("AgentID matches \"(a{1000}){1000}\""), @r##"
    not a regular expression: it takes too much memory
    AgentID matches "(a{1000}){1000}"
                    ^^^^^^^^^^^^^^^^^
    "##);
}

#[test]
fn half_an_expression() {
    insta::assert_snapshot!(said(""), @r##"
    the expression is empty

    ^
    "##);
    insta::assert_snapshot!(said("AgentID = \"1\""), @r##"
    '=' is no operator; equal is written '=='
    AgentID = "1"
            ^
    "##);
    insta::assert_snapshot!(said("AgentID == '1'"), @r##"
    ''' is no operator; texts stand in double quotes
    AgentID == '1'
               ^
    "##);
    insta::assert_snapshot!(said("AgentID == \"1"), @r##"
    the closing quote is missing
    AgentID == "1
               ^
    "##);
    insta::assert_snapshot!(said("AgentID == \"\\d\""), @r##"
    unknown escape; a backslash is written \\, or the text r"..."
    AgentID == "\d"
                ^^
    "##);
    insta::assert_snapshot!(said("(AgentID"), @r##"
    expected ')', found the end
    (AgentID
            ^
    "##);
    insta::assert_snapshot!(said("AgentID &&"), @r##"
    expected the name of a field or test, found the end
    AgentID &&
              ^
    "##);
    insta::assert_snapshot!(said("AgentID AgentState"), @r##"
    expected an operator, found 'AgentState'
    AgentID AgentState
            ^^^^^^^^^^
    "##);
    insta::assert_snapshot!(said("session in {1, 2"), @r##"
    expected ',' or '}', found the end
    session in {1, 2
                    ^
    "##);
    insta::assert_snapshot!(said("session == 1 § 2"), @r##"
    unexpected character '§'
    session == 1 § 2
                 ^
    "##);
    insta::assert_snapshot!(said("session == 1 | session == 2"), @r##"
    '|' is no operator; or is written '||'
    session == 1 | session == 2
                 ^
    "##);
}

#[test]
fn depth_size_and_patterns_are_bounded() {
    let kind = |text: &str| Filter::parse(text).map(drop).map_err(|e| e.kind().clone());
    for open in ["(", "!", "not ", "!("] {
        let text = open.repeat(10_000);
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
    insta::assert_snapshot!(Filter::parse(&long).unwrap_err().pointer(), @r##"
    ...tID && AgentID && AgentID && AgentID && nosuchfield && AgentID && AgentID && AgentID && Age...
                                               ^^^^^^^^^^^
    "##);
    insta::assert_snapshot!(Filter::parse("session\t==\u{202e}1").unwrap_err().pointer(), @r##"
    session ==�1
              ^
    "##);
}
