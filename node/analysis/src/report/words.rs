//! Every sentence of the report, English and Chinese side by side.

use crate::Lang;
use crate::numbers::AlertKind;

/// One text in both languages. `{0}`, `{1}` are places for values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    en: &'static str,
    zh: &'static str,
}

impl Words {
    /// In one language.
    pub(super) fn of(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }

    /// With `values`, which are markup already, in their places. What a value contains is never
    /// taken for a place.
    pub(super) fn with(self, lang: Lang, values: &[&str]) -> String {
        let mut out = String::new();
        let mut rest = self.of(lang);
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let (place, after) = after.split_once('}').unwrap_or((after, ""));
            out.push_str(place.parse().ok().and_then(|at: usize| values.get(at)).unwrap_or(&""));
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

macro_rules! words {
    ($($name:ident = $en:literal, $zh:literal;)*) => {
        $(pub(super) const $name: Words = Words { en: $en, zh: $zh };)*
        #[cfg(test)]
        const ALL: &[(&str, Words)] = &[$((stringify!($name), $name)),*];
    };
}

words! {
    // The page.
    REPORT_OF = "Report on {0}", "{0} 的分析报告";
    REPORT = "Data report", "数据分析报告";
    SKIP = "Skip to the content", "跳到正文";
    CONTENTS = "Contents", "目录";
    ONE_ROW = "1 row", "1 行";
    SOME_ROWS = "{0} rows", "{0} 行";
    ONE_COLUMN = "1 column", "1 列";
    SOME_COLUMNS = "{0} columns", "{0} 列";
    DELIMITER = "Separated by {0}", "以{0}分隔";
    COMMA = "commas", "逗号";
    SEMICOLON = "semicolons", "分号";
    TAB = "tabs", "制表符";
    PIPE = "vertical bars", "竖线";
    SPACE = "spaces", "空格";
    ENCODED = "Encoding {0}", "编码 {0}";
    WORKBOOK = "Excel workbook", "Excel 工作簿";
    OPEN_SHEET = "OpenDocument spreadsheet", "OpenDocument 电子表格";
    SHEET = "Sheet {0}", "工作表 {0}";
    MADE_AT = "Made {0}", "生成于 {0}";
    SERVED_BY = "Computed by {0}", "由 {0} 计算";
    MADE_WITH = "One file, no scripts, nothing loaded from a network.",
        "单一文件，不含脚本，不从网络加载任何内容。";
    AND_MORE = "and {0} more", "另有 {0} 条";
    SHOW_MORE = "{0} more", "其余 {0} 条";
    EMPTY_TEXT = "(empty)", "（空）";

    // Sections.
    OVERVIEW = "Overview", "概览";
    ALERTS = "What to look at first", "值得先看";
    GLANCE = "Columns at a glance", "各列一览";
    CORRELATION = "Correlation", "相关性";
    SCATTERS = "Pairs of columns", "成对的列";
    DISTRIBUTIONS = "Distributions", "分布";
    MISSING_CELLS = "Missing cells", "缺失值";
    SKEWNESS = "Skewness", "偏度";
    TRENDS = "Trends", "趋势";
    CATEGORIES = "Categories", "类别";
    CLOUD = "Word cloud", "词云";
    COLUMNS = "Columns", "各列详情";
    READING = "How the file was read", "文件读取情况";
    GLOSSARY = "Glossary", "术语解释";

    // Tiles.
    ROWS = "Rows", "行数";
    COLUMN_COUNT = "Columns", "列数";
    OF_CELLS = "{0} of {1} cells", "{1} 个单元格中有 {0} 个";
    DUPLICATE_ROWS = "Duplicate rows", "重复行";
    BAD_ROWS = "Bad rows", "异常行";
    OF_ROWS = "{0} of all rows", "占全部行的 {0}";
    NONE = "none", "无";
    NO_ALERTS = "Nothing stands out: no problems were found.", "没有发现问题。";

    // Types.
    INTEGER = "integer", "整数";
    NUMBER = "number", "小数";
    BOOLEAN = "yes or no", "是/否";
    DATE = "date", "日期";
    DATETIME = "date and time", "日期时间";
    TIME = "time of day", "时刻";
    DURATION = "duration", "时长";
    TEXT = "text", "文本";
    EMPTY = "empty", "空列";

    // Severities and alerts.
    PROBLEM = "Problem", "问题";
    CHECK = "Worth a check", "留意";
    KNOW = "Good to know", "提示";
    ALERT_ENCODING = "Encoding", "编码";
    ALERT_READING = "How the file was read", "读取情况";
    ALERT_EMPTY = "Empty column", "空列";
    ALERT_CONSTANT = "Only one value", "只有一个值";
    ALERT_MIXED = "Mixed types", "类型混杂";
    ALERT_DATES = "Odd dates", "日期异常";
    ALERT_INFINITE = "Infinite values", "无穷大";
    ALERT_CORRELATION = "Strong correlation", "高度相关";
    ALERT_IMBALANCE = "One value dominates", "取值失衡";
    ALERT_SKEWED = "Skewed", "分布偏斜";
    ALERT_UNIQUE = "All values differ", "取值互不相同";
    ALERT_CARDINALITY = "Many different texts", "文本种类繁多";
    ALERT_ZEROS = "Many zeros", "零值较多";

    // The table at a glance, and cards.
    COLUMN = "Column", "列";
    TYPE = "Type", "类型";
    TYPICAL = "Typical", "典型值";
    RANGE = "Range", "范围";
    SHAPE = "Shape", "形状";
    VALUES = "Values", "有值";
    MISSING = "Missing", "缺失";
    INVALID = "Invalid", "无效";
    DISTINCT = "Distinct", "不同值";
    MEAN = "Mean", "平均值";
    STD = "Standard deviation", "标准差";
    MIN = "Smallest", "最小值";
    Q25 = "Lower quartile", "下四分位数";
    MEDIAN = "Median", "中位数";
    Q75 = "Upper quartile", "上四分位数";
    MAX = "Largest", "最大值";
    ZEROS = "Zeros", "零值";
    NEGATIVES = "Negative", "负值";
    KURTOSIS = "Kurtosis", "峰度";
    OUTLIERS = "Outliers", "离群值";
    COMPARISON = "Comparison", "对比";
    COMPARISON_OF = "{0} and {1}", "{0} 与 {1}";
    ONLY_IN = "Only in {0}: {1}.", "只在 {0} 里有：{1}。";
    GROUPS = "Groups", "分组";
    GROUPS_INTRO = "Every number column by the values of {0}: the line goes from the smallest to the largest, the box holds the middle half, the mark is the median.",
        "按{0}的取值分开的各数字列：横线从最小到最大，方框是中间一半，竖线是中位数。";
    OTHER_VALUES = "{0} other values", "其他 {0} 个取值";
    SHORTEST = "Shortest", "最短";
    LONGEST = "Longest", "最长";
    FIRST = "Earliest", "最早";
    LAST = "Latest", "最晚";
    TOP = "Most frequent values", "最常见的值";
    ALL_ONCE = "Every value comes once, such as", "每个值只出现一次，例如";
    OTHERS = "other values", "其他值";
    VALUE = "Value", "值";
    COUNT = "Count", "次数";
    SHARE = "Share", "占比";
    QUANTILES = "From {0} to {4}; half of the values lie between {1} and {3}, the median is {2}",
        "从 {0} 到 {4}；一半的值在 {1} 与 {3} 之间，中位数为 {2}";
    WRITTEN_CURRENCY = "Amounts were written with {0}.", "金额带有 {0} 符号。";
    WRITTEN_PERCENT = "Written in percent: 12% is counted as 0.12.",
        "以百分数书写：12% 按 0.12 计算。";
    WRITTEN_DATES = "Dates were written in more than one way.", "日期有多种写法。";
    INVALID_CELLS = "{0} cells do not fit the type and are left out of the numbers:",
        "{0} 个单元格与类型不符，未计入统计：";
    INVALID_CELL = "{0} cell does not fit the type and is left out of the numbers:",
        "{0} 个单元格与类型不符，未计入统计：";
    FIRST_CARDS = "The first {0} of {1} columns have a card here; all are in the table at a glance and in the file of numbers.",
        "这里为 {1} 列中的前 {0} 列制作了卡片；全部列见各列一览和数据文件。";
    FIRST_GLANCE = "The first {0} of {1} columns are listed; all are in the file of numbers.",
        "这里列出 {1} 列中的前 {0} 列；全部列见数据文件。";
    LEFT_OUT = "Charts left out to keep this page small: {0}. They are among the chart files.",
        "为控制页面大小，省略了 {0} 张图；它们在图表文件中。";

    // Pairs.
    PAIRS = "Strongest pairs", "相关性最强的列对";
    FIRST_COLUMN = "Column", "列";
    SECOND_COLUMN = "goes with", "与之相关的列";
    PEARSON = "Pearson", "皮尔逊";
    SPEARMAN = "Spearman", "斯皮尔曼";

    // Reading.
    BAD_ROWS_INTRO = "Rows without the {1} fields of the header, or broken otherwise: {0}. The first of them:",
        "有 {0} 行的字段数不等于表头的 {1} 个，或有其他损坏。最前面的几行：";
    LINE = "Line", "行号";
    FIELDS = "Fields found", "实际字段数";
    EXPECTED = "Fields expected", "应有字段数";
    NOTE_UNDECODABLE = "Bytes that did not fit the encoding and became �: {0}.",
        "{0} 个字节不符合编码，已替换为 �。";
    NOTE_NULS = "NUL bytes that were dropped: {0}.",
        "丢弃了 {0} 个空字节。";
    NOTE_GUESSED = "The encoding {0} is a guess.", "编码 {0} 是猜测的。";
    NOTE_NO_HEADER = "The file has no header, so the columns are numbered.",
        "文件没有表头，因此各列以编号命名。";
    NOTE_RENAMED = "Column names that came twice or were empty, and were changed: {0}.",
        "{0} 个列名重复或为空，已修改。";
    NOTE_QUOTE = "The quote that opens in line {0} is never closed.",
        "第 {0} 行的引号没有闭合。";
    NOTE_CUT = "Very long fields that were cut: {0}.",
        "{0} 个过长的字段被截断。";
    NOTE_TITLES = "Lines above the header that were left out, such as titles: {0}.",
        "表头上方有 {0} 行标题或说明，已略过。";
    NOTE_HEADER_LINES = "Lines of the header, which make one name for each column: {0}.",
        "表头有 {0} 行，每列的名称由各行合并而成。";
    NOTE_EMPTY_ROWS = "Rows without any value that were left out: {0}.",
        "有 {0} 行没有任何值，已略过。";
    NOTE_COMMENTS = "Comments between rows, which begin with #, that were left out: {0}.",
        "有 {0} 行以 # 开头的注释，已略过。";
    NOTE_FOOTERS = "Lines below the table that were left out, such as footnotes: {0}.",
        "表格下方有 {0} 行脚注或说明，已略过。";
    NOTE_TABLES = "The file has more tables, of which this report says nothing; --table chooses one of them:",
        "文件中还有其他表格，本报告没有涉及；可用 --table 选择：";
    NOTE_TABLE = "line {0}: {1}", "第 {0} 行：{1}";
    NOTE_EMPTY_COLUMNS = "Columns that are there only because every line ends with a delimiter, and were left out: {0}.",
        "有 {0} 列只因每行以分隔符结尾而存在，已略过。";
    NOTE_NO_DELIMITER = "Nothing was found that separates fields, so every line is one cell; --delimiter names a separator.",
        "没有找到字段分隔符，因此每行是一个单元格；可用 --delimiter 指定分隔符。";
    NOTE_SHEETS = "The workbook has other sheets than this one ({0}); --sheet names one. The others: {1}.",
        "工作簿里除了这个工作表（{0}）还有别的，可用 --sheet 指定。其余：{1}。";
    NOTE_TOTALS = "The last row summed the others and was left out.", "最后一行是其他各行的合计，已略过。";
    MENDED = "Mended rows", "已修复的行";
    MENDED_INTRO = "Rows that were broken and were put right, because the columns say how: {0}. The first of them:",
        "有 {0} 行已损坏，根据各列的内容修复。最前面的几行：";
    DONE = "What was done", "修复方式";
    MEND_KEPT = "nothing", "未改动";
    MEND_PADDED = "a column was left empty", "有一列留空";
    MEND_QUOTE = "a quote was taken for a character", "把引号当作普通字符";
    MEND_JOINED = "a delimiter was taken for a part of a text", "把分隔符当作文字的一部分";
    MEND_DROPPED = "an empty field too many was left out", "略去多余的空字段";
    MEND_CUT = "a field was cut where a delimiter was lost", "在缺失分隔符处切开字段";
    MEND_DELIMITER = "the row was cut at another delimiter", "该行按另一种分隔符切分";

    // Glossary.
    ABOUT_DISTINCT = "How many different values there are, each counted once.",
        "不同取值的个数，每种只计一次。";
    ABOUT_MISSING = "Cells that are empty or say so, such as NA or null.",
        "空单元格，或写有 NA、null 等表示没有值的单元格。";
    ABOUT_MEDIAN = "The value in the middle: half of the values are smaller, half are larger.",
        "排序后居中的值：一半的值比它小，一半比它大。";
    ABOUT_QUARTILE = "A quarter of the values lie below the lower quartile, a quarter above the upper one; half of them lie between.",
        "四分之一的值低于下四分位数，四分之一高于上四分位数，其余一半在两者之间。";
    QUARTILE = "Quartiles", "四分位数";
    ABOUT_STD = "How far values usually lie from the mean, in the unit of the column.",
        "各个值通常偏离平均值的程度，单位与该列相同。";
    ABOUT_OUTLIER = "Values further than one and a half times the distance of the quartiles beyond them. Often real, sometimes typing mistakes.",
        "超出四分位数之外一倍半四分位距的值。往往是真实的，有时是录入错误。";
    ABOUT_SKEW = "0 when both sides look alike; above 0 there is a long tail of large values, below 0 of small ones. Beyond 1 or -1 the mean misleads.",
        "左右对称时为 0；大于 0 表示大值一侧有长尾，小于 0 表示小值一侧有长尾。超过 1 或 -1 时平均值容易误导。";
    ABOUT_KURTOSIS = "How heavy the tails are, compared with the bell curve, which has 0. Large means: rare values lie far out.",
        "与钟形曲线（其值为 0）相比，尾部有多重。数值大表示少数值离得很远。";
    ABOUT_PEARSON = "From -1 to 1: how well a straight line describes two columns together. 0 means no line. Going together is not causing.",
        "从 -1 到 1：一条直线能在多大程度上描述两列的关系；0 表示没有直线关系。相关不等于因果。";
    ABOUT_SPEARMAN = "The same for ranks: whether one column rises when the other does, in a line or not. Outliers hardly move it.",
        "对名次计算的相关系数：一列上升时另一列是否也上升，不要求是直线。几乎不受离群值影响。";
    ABOUT_DUPLICATE = "Rows that equal an earlier row in every cell.", "每个单元格都与前面某一行相同的行。";
    ABOUT_BAD = "Rows with more or fewer fields than the header, or with a broken quote.",
        "字段数多于或少于表头，或引号损坏的行。";
}

/// What kind of alert it is.
pub(super) fn alert(kind: AlertKind) -> Words {
    match kind {
        AlertKind::Encoding => ALERT_ENCODING,
        AlertKind::Reading => ALERT_READING,
        AlertKind::BadRows => BAD_ROWS,
        AlertKind::Duplicates => DUPLICATE_ROWS,
        AlertKind::Empty => ALERT_EMPTY,
        AlertKind::Constant => ALERT_CONSTANT,
        AlertKind::Missing => MISSING_CELLS,
        AlertKind::MixedTypes => ALERT_MIXED,
        AlertKind::BadDates => ALERT_DATES,
        AlertKind::Infinite => ALERT_INFINITE,
        AlertKind::HighCorrelation => ALERT_CORRELATION,
        AlertKind::Imbalance => ALERT_IMBALANCE,
        AlertKind::Skewed => ALERT_SKEWED,
        AlertKind::Unique => ALERT_UNIQUE,
        AlertKind::HighCardinality => ALERT_CARDINALITY,
        AlertKind::Zeros => ALERT_ZEROS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<char> {
        let mut found: Vec<char> =
            text.match_indices('{').map(|(at, _)| char::from(text.as_bytes()[at + 1])).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn both_languages_say_the_same_with_the_same_values() {
        for (name, words) in ALL {
            assert_eq!(places(words.en), places(words.zh), "{name}");
            assert!(words.en.is_ascii() || words.en.contains('�'), "{name}: {}", words.en);
            assert!(words.zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{name}");
            for markup in ['<', '&', '"'] {
                assert!(!words.en.contains(markup) && !words.zh.contains(markup), "{name}");
            }
        }
    }

    #[test]
    fn values_are_put_in_once() {
        assert_eq!(OF_CELLS.with(Lang::En, &["{1}", "5"]), "{1} of 5 cells");
        assert_eq!(OF_CELLS.with(Lang::Zh, &["3", "9"]), "9 个单元格中有 3 个");
        assert_eq!(OF_CELLS.with(Lang::En, &["7"]), "7 of  cells");
    }
}
