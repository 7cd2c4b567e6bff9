//! Tables from files, and the orders of their rows.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::*;
use crate::dice::Dice;

/// A file that is gone with the value.
struct Written(PathBuf);

impl Written {
    fn new(ending: &str, bytes: &[u8]) -> Written {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Relaxed);
        let name = format!("blast-data-{}-{number}.{ending}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        Written(path)
    }

    fn open(&self) -> Result<Table> {
        Table::open("users", &self.0, Order::default(), Exhausted::default())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn table(ending: &str, text: &str) -> Table {
    Written::new(ending, text.as_bytes()).open().unwrap_or_else(|error| panic!("{error}"))
}

/// Every cell, row by row.
fn cells(table: &Table) -> Vec<Vec<String>> {
    let columns = table.columns().count();
    let cell = |row, column| {
        let mut value = b"before ".to_vec();
        table.cell(row, column, &mut value);
        let value = String::from_utf8(value).unwrap();
        let value = value.strip_prefix("before ").unwrap().to_string();
        assert!(value.len() <= table.longest(column), "{value}");
        value
    };
    (0..table.rows()).map(|row| (0..columns).map(|column| cell(row, column)).collect()).collect()
}

#[test]
fn csv_is_read_with_its_quotes_line_ends_and_empty_lines() {
    let expected = [["1", "a@b"], ["2", ""]];
    for text in [
        "id,email\n1,a@b\n2,\n",
        "id,email\r\n1,a@b\r\n2,\r\n",
        "id,email\n\n1,a@b\n\r\n2,",
        "\u{feff}id,email\n1,a@b\n2,",
        "\nid,email\r1,a@b\r2,\r",
        "\"id\",email\n\"1\",\"a@b\"\n2,\"\"\n",
    ] {
        let table = table("csv", text);
        assert_eq!(table.columns().collect::<Vec<_>>(), ["id", "email"], "{text:?}");
        assert_eq!(cells(&table), expected, "{text:?}");
    }
    let quoted = table("CSV", "a,b,c\n\"x,\"\"y\"\"\",\"two\nlines\",z\n1,\"2\r\n\",\"\"\n");
    assert_eq!(cells(&quoted), [["x,\"y\"", "two\nlines", "z"], ["1", "2\r\n", ""]]);
    assert_eq!((quoted.column("b"), quoted.column("d")), (Some(1), None));
    let long = "v".repeat(5_000);
    let columns: Vec<String> = (0..40).map(|column| format!("c{column}")).collect();
    let wide = table("csv", &format!("{}\n{}\n", columns.join(","), vec![&*long; 40].join(",")));
    assert_eq!((wide.rows(), wide.longest(39)), (1, 5_000));
    assert!(cells(&wide)[0].iter().all(|cell| *cell == long));
}

#[test]
fn ndjson_gives_strings_unescaped_and_other_values_as_written() {
    let text = concat!(
        r#"{"a": "x\n\"\u00e4\ud83d\ude00\/", "b": 1.50, "c": {"d": [1, "}"]}}"#,
        "\n\n",
        r#" {"c": true, "a": null, "e": 1}  "#,
        "\r\n",
        r#"{"b": -0e2, "a": "", "b": "\ud83d!", "\u0063": "key"}"#,
    );
    let table = table("ndjson", text);
    assert_eq!(table.columns().collect::<Vec<_>>(), ["a", "b", "c"]);
    let expected =
        [["x\n\"ä😀/", "1.50", r#"{"d": [1, "}"]}"#], ["", "", "true"], ["", "\u{fffd}!", "key"]];
    assert_eq!(cells(&table), expected);
    let plain = Written::new("jsonl", b"{\"n\":1}").open().unwrap();
    assert_eq!(cells(&plain), [["1"]]);
}

#[test]
fn a_large_file_is_mapped_and_read_alike() {
    let mut text = "id,name\n".to_string();
    (0..70_000).for_each(|row| text += &format!("{row},name of {row}\n"));
    assert!(text.len() > 1 << 20);
    let table = table("csv", &text);
    assert!(matches!(table.contents, Contents::Mapped(_)));
    let mut value = Vec::new();
    table.cell(69_999, 1, &mut value);
    assert_eq!((table.rows(), &value[..]), (70_000, &b"name of 69999"[..]));
}

#[test]
fn a_cell_is_drawn_without_an_allocation_once_there_is_room() {
    let csv = table("csv", "a,b\n\"1,1\",2\n3,4\n");
    let ndjson = table("ndjson", r#"{"a": "x\ny", "b": 7}"#);
    let mut value = Vec::new();
    for table in [&csv, &ndjson] {
        table.cell(0, 0, &mut value);
        table.cell(0, 1, &mut value);
        value.clear();
        let room = value.capacity();
        for draw in 0..100 {
            value.clear();
            table.cell(draw % table.rows(), (draw % 2) as usize, &mut value);
        }
        assert_eq!(value.capacity(), room);
    }
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_line() {
    let table: [(&str, &[u8], &str); 15] = [
        ("csv", b"", "is empty; begin it with a line of column names"),
        ("csv", b"\r\n\n", "is empty; begin"),
        ("csv", b"a,b\n", "has a header and no row; add one"),
        ("csv", b"a,b\n1,2\n\n3\n", "line 4 of "),
        ("csv", b"a,b\n1,2\n\n3\n", "has 1 field and the header 2; make them the same"),
        ("csv", b"a\n\"1\n2\"\n3,4", "line 4 of "),
        ("csv", b"a,a\n1,2\n", "line 1 of "),
        ("csv", b"a,a\n1,2\n", "names two columns alike"),
        ("csv", b"a,\n1,2\n", "names a column with nothing"),
        ("csv", b"\xff\n1\n", "is no UTF-8"),
        ("ndjson", b"\n", "is empty; write an object on each line"),
        ("ndjson", b"{}\n", "is an empty object"),
        ("ndjson", b"{\"a\":1}\n\n[1]\n", "line 3 of "),
        ("ndjson", b"{\"a\":1}\n{\"a\":1} 2\n", "is no JSON (at column 9)"),
        ("ndjson", b"{\"a\":\"\xff\"}\n", "is no JSON"),
    ];
    for (ending, bytes, expected) in table {
        let file = Written::new(ending, bytes);
        let message = file.open().expect_err(expected).message;
        assert!(message.starts_with("data `users`: ") && message.contains(expected), "{message}");
        assert!(message.contains(file.0.to_str().unwrap()), "{message}");
    }
    let missing = |path: &str| {
        Table::open("u", Path::new(path), Order::Random, Exhausted::Wrap).expect_err(path).message
    };
    assert!(missing("/nowhere/x.csv").contains("cannot be read (no such file or directory)"));
    assert!(missing("/nowhere/x.xlsx").contains("name it .csv"));
    let folder = std::env::temp_dir().join(format!("blast-folder-{}.csv", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    assert!(missing(folder.to_str().unwrap()).contains("cannot be read (is a directory)"));
    std::fs::remove_dir(&folder).unwrap();
}

/// The rows of the first draws of each of three workers.
fn drawn(order: Order, exhausted: Exhausted, rows: u64, draws: u64) -> Vec<Vec<Option<u64>>> {
    let text = (0..rows).fold("id\n".to_string(), |text, row| text + &format!("{row}\n"));
    let table = Table { order, exhausted, ..table("csv", &text) };
    let mut dice = Dice::of(1, 0, 0);
    let row = |draw, worker, dice: &mut Dice| table.row(draw, worker, 3, draw + 1, dice);
    let of_worker = |worker| (0..draws).map(|draw| row(draw, worker, &mut dice)).collect();
    (0..3).map(of_worker).collect()
}

#[test]
fn rows_come_in_the_order_asked_for_and_end_as_asked() {
    use Exhausted::*;
    let some = |rows: &[u64]| rows.iter().map(|row| Some(*row)).collect::<Vec<_>>();
    let cut = |rows: &[u64], to: usize| {
        let mut rows = some(rows);
        rows.resize(to, None);
        rows
    };
    let sequential = |exhausted| drawn(Order::Sequential, exhausted, 7, 4);
    assert_eq!(sequential(Wrap), [some(&[0, 3, 6, 2]), some(&[1, 4, 0, 3]), some(&[2, 5, 1, 4])]);
    assert_eq!(sequential(Stop), [cut(&[0, 3, 6], 4), cut(&[1, 4], 4), cut(&[2, 5], 4)]);

    let sharded = |exhausted| drawn(Order::Sharded, exhausted, 7, 4);
    assert_eq!(sharded(Wrap), [some(&[0, 1, 0, 1]), some(&[2, 3, 2, 3]), some(&[4, 5, 6, 4])]);
    assert_eq!(sharded(Stop), [cut(&[0, 1], 4), cut(&[2, 3], 4), cut(&[4, 5, 6], 4)]);
    assert_eq!(drawn(Order::Sharded, Wrap, 1, 1), [some(&[0]), some(&[0]), some(&[0])]);
    assert_eq!(drawn(Order::Sharded, Stop, 1, 1), [vec![None], vec![None], some(&[0])]);

    // A user has its row wherever it is drawn.
    assert_eq!(drawn(Order::Unique, Wrap, 2, 4), vec![some(&[0, 1, 0, 1]); 3]);
    assert_eq!(drawn(Order::Unique, Stop, 2, 4), vec![cut(&[0, 1], 4); 3]);

    for exhausted in [Wrap, Stop] {
        let mut random: Vec<_> = drawn(Order::Random, exhausted, 5, 200).concat();
        assert!(random.iter().all(|row| row.is_some_and(|row| row < 5)));
        random.sort_unstable();
        random.dedup();
        assert_eq!(random, some(&[0, 1, 2, 3, 4]));
    }
}

#[test]
fn no_number_of_draws_overflows() {
    for order in [Order::Sequential, Order::Sharded, Order::Unique] {
        for exhausted in [Exhausted::Wrap, Exhausted::Stop] {
            let table = Table { order, exhausted, ..table("csv", "id\n1\n2\n3\n") };
            let row = table.row(u64::MAX, 63, 64, u64::MAX, &mut Dice::of(1, 0, 0));
            assert_eq!(row.is_some(), exhausted == Exhausted::Wrap, "{order:?}");
            assert!(row.is_none_or(|row| row < 3));
        }
    }
}
