//! The labels as a table for a spreadsheet (RFC 4180).

use super::{Shot, State};

/// One row a label: file, place, label, probability, model, who said so, how long it took.
pub(super) fn of(shots: &[Shot]) -> Vec<u8> {
    // Without this mark some spreadsheets take Chinese names for something else.
    let mut table = "\u{feff}".to_owned();
    row(&mut table, ["file", "rank", "label", "probability", "model", "served_by", "milliseconds"]);
    for shot in shots {
        let State::Done(heard) = &shot.state else { continue };
        for (rank, label) in heard.response.labels.iter().enumerate() {
            let fields = [
                shot.name.as_str(),
                &(rank + 1).to_string(),
                &label.label,
                &format!("{:.6}", label.probability),
                &heard.response.model,
                &heard.served_by.name,
                &heard.milliseconds.to_string(),
            ];
            row(&mut table, fields);
        }
    }
    table.into_bytes()
}

fn row(table: &mut String, fields: [&str; 7]) {
    let quoted = fields.map(|field| {
        // A spreadsheet would run what begins like a formula; names come from other computers.
        let field = match field.starts_with(['=', '+', '-', '@']) {
            true => format!("'{field}"),
            false => field.to_owned(),
        };
        match field.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", field.replace('"', "\"\"")),
            false => field,
        }
    });
    table.push_str(&quoted.join(","));
    table.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_formulas_are_text() {
        let mut table = String::new();
        row(&mut table, ["a,\"b\".jpg", "1", "=1+1", "0.5", "m", "王子涵", "3"]);
        assert_eq!(table, "\"a,\"\"b\"\".jpg\",1,'=1+1,0.5,m,王子涵,3\r\n");
    }
}
