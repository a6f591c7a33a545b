//! What people read of a finished report, in its language.

use std::path::Path;

use potluck_analysis::Numbers;
use potluck_i18n::Lang;

use super::words;
use crate::{client::Reply, services::analyze::Response};

/// Alerts that are shown; the others stand in the report.
const SHOWN: usize = 8;

/// A summary with the place of the page.
pub(super) fn text(
    out: &Path,
    files: &[String],
    response: &Response,
    reply: &Reply,
    lang: Lang,
) -> String {
    let (rows, columns) = (response.rows, response.columns);
    let (name, time) = (&reply.served_by.name, reply.milliseconds);
    let mut lines = vec![words::analyzed(lang, rows, columns, name, time)];
    lines.extend(response.alerts.iter().take(SHOWN).map(|alert| format!("  ! {alert}")));
    if let Some(more) = response.alerts.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.push(format!("  {}", words::more_alerts(lang, more)));
    }
    let charts = files.iter().filter(|name| name.ends_with(".svg")).count();
    let (page, out) = (out.join("report.html"), out.display().to_string());
    lines.push(words::charts_in(lang, charts, out));
    lines.push(words::open_page(lang, page.display().to_string()));
    lines.join("\n")
}

/// What is different in the second of two tables, with the place of the page.
pub(super) fn compared(page: &Path, [one, other]: [&Numbers; 2], lang: Lang) -> String {
    let pairs = one.columns.iter().filter_map(|column| {
        let other = other.columns.iter().find(|other| other.name == column.name)?;
        Some((column, other))
    });
    let (mut both, mut changed) = (0, 0);
    for (one, other) in pairs {
        both += 1;
        changed += usize::from(one.kind != other.kind);
    }
    let said = words::compared(lang, one.rows, other.rows, both, changed);
    format!("{said}\n{}", words::open_page(lang, page.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Served;

    #[test]
    fn both_languages_say_the_same() {
        let response = Response {
            rows: 1,
            columns: 12,
            alerts: (0..SHOWN + 2).map(|n| format!("alert {n}")).collect(),
            files: vec![],
        };
        let reply = Reply {
            body: vec![],
            data: None,
            served_by: Served { id: "12D3".into(), name: "gpu".into() },
            route: vec![],
            milliseconds: 20,
        };
        let files = ["a.svg", "a.png", "report.html"].map(str::to_owned);
        let told = |lang| text(Path::new("out"), &files, &response, &reply, lang);
        let (english, chinese) = (told(Lang::En), told(Lang::Zh));
        assert!(
            english.starts_with("1 row, 12 columns; by gpu in 20 ms\n  ! alert 0"),
            "{english}"
        );
        assert!(chinese.starts_with("1 行，12 列；由 gpu 分析，20 毫秒\n  ! alert 0"), "{chinese}");
        assert!(english.contains("... 2 more") && chinese.contains("另有 2 条"));
        assert!(english.ends_with("1 chart and the numbers in out\nopen out/report.html"));
        assert!(chinese.ends_with("1 张图表和各项数字在 out\n请打开 out/report.html"));
    }
}
