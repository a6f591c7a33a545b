//! What people read of a finished report, in its language.

use std::path::Path;

use potluck_i18n::Lang;

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
    let mut lines = vec![match lang {
        Lang::En => {
            let (rows, columns) = (many(rows, "row"), many(columns, "column"));
            format!("{rows}, {columns}; by {name} in {time} ms")
        }
        Lang::Zh => format!("{rows} 行，{columns} 列；由 {name} 分析，{time} 毫秒"),
    }];
    lines.extend(response.alerts.iter().take(SHOWN).map(|alert| format!("  ! {alert}")));
    if let Some(more) = response.alerts.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.push(match lang {
            Lang::En => format!("  … {more} more in the report"),
            Lang::Zh => format!("  … 另有 {more} 条，见报告"),
        });
    }
    let charts = files.iter().filter(|name| name.ends_with(".svg")).count() as u64;
    let (page, out) = (out.join("report.html"), out.display());
    lines.push(match lang {
        Lang::En => format!("{} and the numbers in {out}", many(charts, "chart")),
        Lang::Zh => format!("{charts} 张图表和各项数字在 {out}"),
    });
    lines.push(match lang {
        Lang::En => format!("open {}", page.display()),
        Lang::Zh => format!("请打开 {}", page.display()),
    });
    lines.join("\n")
}

fn many(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
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
        assert!(english.contains("… 2 more") && chinese.contains("另有 2 条"));
        assert!(english.ends_with("1 chart and the numbers in out\nopen out/report.html"));
        assert!(chinese.ends_with("1 张图表和各项数字在 out\n请打开 out/report.html"));
    }
}
