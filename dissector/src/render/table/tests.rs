use super::*;

fn csv_of(cell: Cell) -> String {
    let mut out = Vec::new();
    csv_rows(&mut out, &[vec![cell]]);
    String::from_utf8(out).unwrap()
}

#[test]
fn csv_quotes_what_needs_it_and_disarms_formulas() {
    let text = |t: &str| csv_of(Cell::Text(t.into()));
    assert_eq!(text("a,b"), "\"a,b\"\n");
    assert_eq!(text("say \"hi\""), "\"say \"\"hi\"\"\"\n");
    assert_eq!(text("=1+1"), "'=1+1\n");
    assert_eq!(text("@SUM(A1)"), "'@SUM(A1)\n");
    assert_eq!(text("-2+cmd|' /C calc'!A0"), "'-2+cmd|' /C calc'!A0\n");
    assert_eq!(text("+49 89 1234"), "+49 89 1234\n");
    assert_eq!(
        text("a\r\n\u{202e}b\u{1b}[2J"),
        "a\\r\\n\\u{202e}b\\u{1b}[2J\n"
    );
}

#[test]
fn csv_numbers_have_a_point_and_no_unit() {
    assert_eq!(csv_of(Cell::Seconds(1_500_000_000)), "1.500\n");
    assert_eq!(csv_of(Cell::Seconds(-20_000)), "-0.00002\n");
    assert_eq!(csv_of(Cell::Millis(34_100_001)), "34.100001\n");
    assert_eq!(
        csv_of(Cell::Time(Timestamp::from_nanos(1_795_428_901_203_417_000))),
        "2026-11-23T10:15:01.203417Z\n"
    );
    assert_eq!(csv_of(Cell::many(["a", "b"])), "a;b\n");
}

#[test]
fn text_aligns_columns_and_shows_hostile_text_as_text() {
    let columns = [Column::left("WHO", "who"), Column::right("COUNT", "count")];
    let rows = [
        vec![Cell::Text("a\u{1b}b".into()), Cell::Number(7)],
        vec![Cell::Missing, Cell::Number(1234567)],
    ];
    let look = Look {
        zone: TimeZone::UTC,
        ascii: false,
        colour: false,
        fit: None,
    };
    let mut out = Vec::new();
    text(&mut out, &columns, &rows, &look);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "WHO       COUNT\na\\x1bb        7\n-       1234567\n"
    );
}

#[test]
fn a_table_wider_than_the_terminal_fits_and_says_what_is_missing() {
    let columns = [
        Column::left("CALL", "call"),
        Column::left("BEGAN", "began"),
        Column::left("WHO", "who"),
        Column::right("COUNT", "count").spare(1),
        Column::left("END", "end"),
    ];
    let row = |second: i64| {
        vec![
            Cell::Number(1),
            Cell::Time(Timestamp::from_seconds(1_795_428_901 + second)),
            Cell::Text("somebody with a very long name indeed".into()),
            Cell::Number(12_345),
            Cell::Text("finished".into()),
        ]
    };
    let look = |fit| Look {
        zone: TimeZone::UTC,
        ascii: false,
        colour: false,
        fit,
    };
    let shown = |rows: &[Vec<Cell>], fit| {
        let mut out = Vec::new();
        text(&mut out, &columns, rows, &look(fit));
        String::from_utf8(out).unwrap()
    };
    let rows = [row(0), row(1)];
    let all = "CALL  BEGAN                       WHO                                    COUNT  END\n\
               1     2026-11-23 10:15:01.000000  somebody with a very long name indeed  12345  finished\n\
               1     2026-11-23 10:15:02.000000  somebody with a very long name indeed  12345  finished\n";
    assert_eq!(shown(&rows, None), all);
    assert_eq!(shown(&rows, Some(90)), all);
    assert_eq!(
        shown(&rows, Some(70)),
        "CALL  BEGAN            WHO                             COUNT  END\n\
         1     10:15:01.000000  somebody with a very long nam…  12345  finished\n\
         1     10:15:02.000000  somebody with a very long nam…  12345  finished\n\
         made to fit 70 columns; times are of 2026-11-23; --wide shows all\n"
    );
    assert_eq!(
        shown(&rows, Some(60)),
        "CALL  BEGAN            WHO                          END\n\
         1     10:15:01.000000  somebody with a very long …  finished\n\
         1     10:15:02.000000  somebody with a very long …  finished\n\
         made to fit 60 columns, without COUNT; times are of 2026-11-23; --wide shows all\n"
    );
    // On two days, a time needs its date.
    let two_days = shown(&[row(0), row(86_400)], Some(70));
    assert!(
        two_days.contains("2026-11-24 10:15:01.000000"),
        "{two_days}"
    );
    let widest = two_days.lines().take(3).map(|l| l.chars().count()).max();
    assert!(widest <= Some(70), "{two_days}");
}
