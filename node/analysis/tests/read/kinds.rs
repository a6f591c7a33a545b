//! Kinds of columns and values of cells. Days were converted with `date -u -d DAY +%s`.

use potluck_analysis::table::{Kind, Values};

use super::{column, kinds, numbers, table, texts, times};

/// One column with these cells.
fn one(cells: &[&str]) -> potluck_analysis::Table {
    let quoted: Vec<String> =
        cells.iter().map(|c| format!("\"{}\"", c.replace('"', "\"\""))).collect();
    table(format!("x\n{}\n", quoted.join("\n")))
}

fn kind(cells: &[&str]) -> Kind {
    one(cells).columns[0].kind
}

fn read_numbers(cells: &[&str]) -> Vec<Option<f64>> {
    numbers(&one(cells).columns[0])
}

#[test]
fn numbers_are_read_as_people_write_them() {
    assert_eq!(
        read_numbers(&[
            "1",
            " -2.5 ",
            "+3e2",
            ".5",
            "4.",
            "(7)",
            "1,234,567",
            "-$1,000.25",
            "1e-320"
        ]),
        [1.0, -2.5, 300.0, 0.5, 4.0, -7.0, 1_234_567.0, -1000.25, 1e-320].map(Some)
    );
    let infinite = read_numbers(&["inf", "-Infinity", "+INF", "1"]);
    assert_eq!(infinite, [f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, 1.0].map(Some));
    assert_eq!(read_numbers(&["1.234,5", "2,5", "-3,25"]), [1234.5, 2.5, -3.25].map(Some));
    assert_eq!(read_numbers(&["0.1%", "12.5%", "-3%"]), [0.001, 0.125, -0.03].map(Some));
    let yuan = one(&["¥12", "￥1,200.50", "¥3"]);
    assert_eq!(yuan.columns[0].written.currency, Some('¥'));
    assert_eq!(one(&["€1", "$2", "3"]).columns[0].written.currency, None);
}

#[test]
fn what_is_no_number_is_invalid() {
    let cells = ["1", "2", "3", "4", "5", "6", "7", "8", "+", "1,2,3", "--5", "1.2.3"];
    let table = one(&cells[..10]);
    let invalid = &table.columns[0].invalid;
    assert_eq!(
        (invalid.count, invalid.examples.as_slice()),
        (2, &["+".to_owned(), "1,2,3".into()][..])
    );
    // A third is too much.
    assert_eq!(kind(&cells), Kind::Text);
}

#[test]
fn whole_numbers_stay_whole() {
    let table = one(&["9223372036854775807", "-9223372036854775807", "NA", "0"]);
    let Values::Integers(cells) = table.columns[0].values().expect("values") else {
        panic!("not whole")
    };
    assert_eq!(cells.iter().collect::<Vec<_>>(), [Some(i64::MAX), Some(-i64::MAX), None, Some(0)]);
    assert_eq!(kind(&["1", "2.0"]), Kind::Number);
    assert_eq!(kind(&["1", "0"]), Kind::Integer);
}

#[test]
fn codes_are_texts() {
    assert_eq!(kind(&["01234", "90210", "10001"]), Kind::Text);
    assert_eq!(kind(&["007", "008"]), Kind::Text);
    assert_eq!(kind(&["01", "02", "12"]), Kind::Integer);
    assert_eq!(kind(&["6222021234567890123456", "6222021234567890123457"]), Kind::Text);
    assert_eq!(kind(&["11010519491231002X", "440524188001010014"]), Kind::Text);
    assert_eq!(kind(&["0", "0.5", "-0.25"]), Kind::Number);
}

#[test]
fn missing_words_are_those_of_pandas() {
    // sorted(pandas._libs.parsers.STR_NA_VALUES) of pandas 3.1.1, without the empty word.
    let words = [
        "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    ];
    for other in [["1", "2"], ["x", "y"], ["2024-01-01", "2024-01-02"], ["yes", "no"]] {
        let cells: Vec<&str> = words.iter().chain(&[""]).chain(&other).copied().collect();
        let table = one(&cells);
        let column = &table.columns[0];
        assert_eq!((column.missing, column.invalid.count), (19, 0), "{other:?}");
        assert_ne!(column.kind, Kind::Empty);
    }
    for word in ["-", "?", "na", "Nan", "none", "NONE", "N.A.", "missing"] {
        assert_eq!(one(&["x", word]).columns[0].missing, 0, "{word}");
    }
}

#[test]
fn truth_has_two_words() {
    for (yes, no) in [("true", "False"), ("Yes", "NO"), ("y", "N"), ("T", "f"), ("是", "否")] {
        assert_eq!(kind(&[yes, no, yes, "NA"]), Kind::Boolean, "{yes}");
    }
    assert_eq!(kind(&["y", "y"]), Kind::Text);
    assert_eq!(kind(&["true", "true"]), Kind::Boolean);
    let table = one(&["Yes", "yes", "no", "yes", "maybe"]);
    let column = &table.columns[0];
    assert_eq!(
        texts(column).into_iter().collect::<Vec<_>>(),
        [("no".into(), 1), ("yes".into(), 3)]
    );
    assert_eq!((column.invalid.count, column.invalid.distinct), (1, 1));
    assert_eq!(column.invalid.examples, ["maybe"]);
}

#[test]
fn days_are_read_as_people_write_them() {
    const SECOND: i64 = 1_000_000;
    for (cell, seconds) in [
        ("2024-01-31", 1_706_659_200),
        ("2024/1/31", 1_706_659_200),
        ("2024.01.31", 1_706_659_200),
        ("31/01/2024", 1_706_659_200),
        ("01/31/2024", 1_706_659_200),
        ("31.01.2024", 1_706_659_200),
        ("Jan 31 2024", 1_706_659_200),
        ("January 31, 2024", 1_706_659_200),
        ("31 Jan 2024", 1_706_659_200),
        ("31-Jan-24", 1_706_659_200),
        ("2024年1月31日", 1_706_659_200),
        ("2024-02", 1_706_745_600),
        ("2024-01-31T12:30:05Z", 1_706_704_205),
        ("2024-01-31 12:30:05+08:00", 1_706_704_205),
        ("2024/1/31 12:30", 1_706_704_200),
        ("1/31/2024 12:30:05 PM", 1_706_704_205),
        ("Wed, 31 Jan 2024 12:30:05 GMT", 1_706_704_205),
        ("2024年1月31日 12时30分5秒", 1_706_704_205),
        ("2024年1月31日12时30分", 1_706_704_200),
        ("31.01.24", 1_706_659_200),
        ("1969-12-31", -86_400),
        ("0001-01-01", -62_135_596_800),
        ("9999-12-31", 253_402_214_400),
    ] {
        let table = one(&[cell]);
        assert_eq!(times(&table.columns[0]), [Some(seconds * SECOND)], "{cell}");
        let clock =
            if cell.contains(':') || cell.contains('时') { Kind::DateTime } else { Kind::Date };
        assert_eq!(table.columns[0].kind, clock, "{cell}");
        assert!(!table.columns[0].written.mixed_dates, "{cell}");
    }
    let fraction = one(&["2024-01-31 12:30:05.123456789"]);
    assert_eq!(times(&fraction.columns[0]), [Some(1_706_704_205_123_456)]);
    for cell in [
        "1.2.24",
        "2024-1-3112:30",
        "2023-02-30",
        "2024-13-01",
        "12:30",
        "1/2",
        "1-2-3",
        "May",
        "2024",
        "2024-01-31x",
    ] {
        assert_eq!(kind(&[cell, "word"]), Kind::Text, "{cell}");
    }
}

#[test]
fn days_that_do_not_exist_are_invalid() {
    let table = one(&["2023-02-28", "2023-02-30", "2024-02-29", "2023-03-01", "2023-03-02"]);
    let column = &table.columns[0];
    assert_eq!((column.kind, column.invalid.count), (Kind::Date, 1));
    assert_eq!(column.invalid.examples, ["2023-02-30"]);
    assert!(!column.written.mixed_dates);
}

#[test]
fn the_column_decides_between_day_and_month() {
    // 3 February and 2 March 2024.
    let (february, march) = (1_706_918_400_000_000, 1_709_337_600_000_000);
    assert_eq!(times(&one(&["03/02/2024", "31/01/2024"]).columns[0])[0], Some(february));
    assert_eq!(times(&one(&["03/02/2024", "01/31/2024"]).columns[0])[0], Some(march));
    assert_eq!(times(&one(&["03/02/2024"]).columns[0])[0], Some(march));
    // What decides comes long after the sample.
    let mut cells = vec!["03/02/2024"; 30_000];
    cells.extend(["31/01/2024"; 3]);
    let late = one(&cells);
    assert_eq!(times(&late.columns[0])[0], Some(february));
    assert_eq!(late.columns[0].invalid.count, 0);
}

#[test]
fn eight_digits_are_a_day_where_the_name_says_so() {
    let table = table("date,n,日期\n20240131,20240131,20240201\n20240201,20240201,20240131\n");
    assert_eq!(kinds(&table), ["date", "integer", "date"]);
    assert_eq!(times(column(&table, "date"))[0], Some(1_706_659_200_000_000));
}

#[test]
fn what_comes_after_the_sample_counts() {
    let rows = |early: &str, late: &str, count: usize| {
        let mut text = "id,x\n".to_owned();
        for row in 0..10_000 + count {
            text += &format!("{row},{}\n", if row < 10_000 { early } else { late });
        }
        table(text)
    };
    let floats = rows("1", "1.5", 10);
    assert_eq!(column(&floats, "x").kind, Kind::Number);
    assert_eq!(numbers(column(&floats, "x"))[9_999..10_001], [Some(1.0), Some(1.5)]);
    assert_eq!(column(&rows("1", "word", 10), "x").invalid.count, 10);
    let words = rows("1", "word", 9000);
    assert_eq!(column(&words, "x").kind, Kind::Text);
    assert_eq!(texts(column(&words, "x"))["word"], 9000);
    let empty = rows("", "2.5", 500);
    assert_eq!((column(&empty, "x").kind, column(&empty, "x").missing), (Kind::Number, 10_000));
    assert_eq!(column(&rows("12345", "01234", 500), "x").kind, Kind::Text);
    let times = rows("2024-01-01", "2024-01-01 10:00", 5);
    assert_eq!(column(&times, "x").kind, Kind::DateTime);
}

#[test]
fn equal_rows_are_counted_as_pandas_does() {
    // pandas.read_csv(...).duplicated().sum() of the same text is 4, of 8 rows: it keeps the row
    // without any value, which is none here.
    let table = table("a,b,c\n1,x,\n1.0,x,NA\n2,y,z\n2,y,z\n2,y,z\n2,Y,z\n,,\nNA,null,NaN\n");
    assert_eq!((table.rows, table.duplicate_rows), (7, 3));
}

#[test]
fn one_odd_cell_does_not_turn_thousands_into_thousandths() {
    let money = one(&["$1,234", "$2,500", "$3,750", "$12,5"]);
    assert_eq!(numbers(&money.columns[0]), [Some(1234.0), Some(2500.0), Some(3750.0), None]);
    assert_eq!(money.columns[0].invalid.examples, ["$12,5"]);
    let cities = table("city,pop,note\nA,\"1,234\",x\nB,\"2,500\",\"3,14\"\n");
    assert_eq!(numbers(column(&cities, "pop")), [Some(1234.0), Some(2500.0)]);
    let tab = table("x\ty\n950\ta\n1.234\tb\n1.234.567\tc\n");
    assert_eq!(numbers(column(&tab, "x")), [Some(950.0), Some(1234.0), Some(1_234_567.0)]);
    // Commas that always have three places, among them some below one.
    let metres = one(&["0,125", "1,250", "2,375", "0,500"]);
    assert_eq!(numbers(&metres.columns[0]), [Some(0.125), Some(1.25), Some(2.375), Some(0.5)]);
    // The delimiter, or another column, says that decimals have commas.
    let semicolon = table("x;y\n1,234;a\n2,500;b\n");
    assert_eq!(numbers(column(&semicolon, "x")), [Some(1.234), Some(2.5)]);
    let other = table("x\ty\n1,234\t1,5\n2,500\t2,75\n");
    assert_eq!(numbers(column(&other, "x")), [Some(1.234), Some(2.5)]);
    // What decides comes after the sample, and is outweighed.
    let mut cells = vec!["1,234"; 30_000];
    cells.extend(["12,5"; 3]);
    let late = one(&cells);
    assert_eq!(numbers(&late.columns[0])[0], Some(1234.0));
    assert_eq!(late.columns[0].invalid.count, 3);
}

#[test]
fn a_sample_of_texts_does_not_stick() {
    let rows = |early: &str, late: &dyn Fn(usize) -> String| {
        let mut text = "id,x\n".to_owned();
        for row in 0..1500 {
            text += &format!("{row},{early}\n");
        }
        for row in 0..20_000 {
            text += &format!("{row},{}\n", late(row));
        }
        table(text)
    };
    let amounts = rows("pending", &|row| format!("{}.5", row * 7 % 9001));
    let x = column(&amounts, "x");
    assert_eq!((x.kind, x.invalid.count), (Kind::Number, 1500));
    assert_eq!(x.invalid.examples, ["pending"]);
    let days = rows("pending", &|row| format!("2024-01-{:02}", row % 28 + 1));
    assert_eq!(column(&days, "x").kind, Kind::Date);
    let flags = rows("pending", &|row| if row % 3 == 0 { "yes" } else { "no" }.to_owned());
    assert_eq!(column(&flags, "x").kind, Kind::Boolean);
    // Numbers at first, then codes; half of them words; words that begin with digits.
    let codes = rows("pending", &|row| format!("{row:05}"));
    assert_eq!(column(&codes, "x").kind, Kind::Text);
    let half =
        rows("pending", &|row| if row % 2 == 0 { row.to_string() } else { format!("w{row}") });
    assert_eq!(column(&half, "x").kind, Kind::Text);
    let streets = rows("pending", &|row| format!("{row} Main Street"));
    assert_eq!(column(&streets, "x").kind, Kind::Text);
}

#[test]
fn cells_are_what_people_mean() {
    assert_eq!(read_numbers(&["123.50-", "(4)", "5", "-6"]), [-123.5, -4.0, 5.0, -6.0].map(Some));
    assert_eq!(
        read_numbers(&["12.5万", "3亿", "40", "1,200万"]),
        [125_000.0, 3e8, 40.0, 1.2e7].map(Some)
    );
    assert_eq!(read_numbers(&["１２．５", "３", "－４"]), [12.5, 3.0, -4.0].map(Some));
    let dollars = one(&["USD 12", "USD 1,200.50", "3 USD"]);
    assert_eq!(numbers(&dollars.columns[0]), [12.0, 1200.5, 3.0].map(Some));
    assert_eq!(dollars.columns[0].written.currency, Some('$'));
    assert_eq!(kind(&["00", "00", "00"]), Kind::Text);
    assert_eq!(kind(&["0", "01", "23"]), Kind::Integer);
}

#[test]
fn words_for_nothing_are_missing() {
    for word in ["-", "—", "无", "未知", "暂无", "#REF!", "#DIV/0!", "#VALUE!"] {
        let table = one(&["1", "2", word, "4"]);
        let column = &table.columns[0];
        assert_eq!(
            (column.kind, column.missing, column.invalid.count),
            (Kind::Integer, 1, 0),
            "{word}"
        );
    }
    for word in ["未知", "暂无", "—", "#N/A"] {
        assert_eq!(one(&["red", "blue", word, "red"]).columns[0].missing, 1, "{word}");
    }
    // Where it is the opposite of something, it is a value.
    let either = one(&["有", "无", "有", "有"]);
    assert_eq!((either.columns[0].kind, either.columns[0].missing), (Kind::Boolean, 0));
    assert_eq!(one(&["a-b", "-", "c"]).columns[0].missing, 0);
}

#[test]
fn the_order_of_days_comes_from_all_columns_and_rows() {
    let february = 1_675_209_600 * 1_000_000;
    let first = |csv: &str| times(&table(csv).columns[0])[0];
    assert_eq!(first("a,b\n01/02/2023,25/02/2023\n03/04/2023,30/04/2023\n"), Some(february));
    assert_eq!(first("a,b\n01.02.2023,1\n03.04.2023,2\n"), Some(february));
    // Proof may come late, and in another column.
    let mut late = "a,b\n".to_owned();
    for row in 0..30_000 {
        late += &format!("01/02/2023,0{}/02/2023\n", 1 + row % 9);
    }
    assert_eq!(first(&(late + "01/02/2023,25/02/2023\n")), Some(february));
    let said = |dates: &str| {
        let dates = Some(dates.parse().expect("an order"));
        let options = potluck_analysis::read::ReadOptions { dates, ..Default::default() };
        times(&super::try_table("a,b\n01/02/2023,x\n", &options).expect("a table").columns[0])[0]
    };
    assert_eq!((said("dmy"), said("mdy") < said("dmy")), (Some(february), true));
}

#[test]
fn months_and_chinese_hours_are_read() {
    let day = |cells: &[&str]| times(&one(cells).columns[0])[0].map(|micros| micros / 1_000_000);
    assert_eq!(day(&["Jan-20", "Feb-20", "Mar-21"]), Some(1_577_836_800));
    assert_eq!(day(&["2024/1/31 上午9:05", "2024/1/31 下午1:00"]), Some(1_706_691_900));
    assert_eq!(day(&["2024年1月31日 下午9:05", "2024年2月1日 上午1:00"]), Some(1_706_735_100));
}
