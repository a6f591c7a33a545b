//! Tests of the chat rules: the built-in set in both languages, mistakes, limits, reloading.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// A text, and what one of the replies to it holds.
const CONVERSATION: &[(&str, &str)] = &[
    ("Repeat after me: bread and salt", "bread and salt"),
    ("跟我说：一二三", "一二三"),
    ("What's my name?", "remember none"),
    ("我叫什么名字？", "不会记住"),
    ("Hello, my name is Zoë.", "Nice to meet you, Zoë!"),
    ("call me O'Brien", "Hello O'Brien!"),
    ("我叫小明", "你好，小明！"),
    ("你好，我的名字是阿凡提。", "阿凡提，你好！"),
    ("I am from Chengdu", "what is Chengdu like?"),
    ("我来自成都", "成都是什么样的"),
    ("Why is no one found here?", "potluck doctor"),
    ("I can't see any peers", "potluck doctor"),
    ("找不到其他节点", "potluck doctor"),
    ("How do I recognise a picture?", "potluck recognize PICTURE"),
    ("Can you identify images?", "potluck recognize PICTURE"),
    ("帮我识别一张图片", "potluck recognize 图片"),
    ("How can I change your rules?", "chat.toml"),
    ("怎么教你新的回答", "chat.toml"),
    ("What can you do?", "recognise pictures"),
    ("help", "recognise pictures"),
    ("你会做什么？", "识别图片"),
    ("帮助", "识别图片"),
    ("What is Potluck?", "everyone brings a dish"),
    ("Potluck是什么？", "每人带一道菜"),
    ("who are you", "chat robot"),
    ("What's your name?", "Call me Potluck"),
    ("你是谁？", "聊天机器人"),
    ("你叫什么名字", "Potluck"),
    ("Who made you?", "class project"),
    ("谁创造了你？", "课程作业"),
    ("Are you a human?", "list of rules"),
    ("你是机器人吗", "规则表"),
    ("How old are you?", "rule file"),
    ("你多大了", "规则文件"),
    ("Where do you live?", "--explain"),
    ("你在哪里", "--explain"),
    ("Do you speak Chinese?", "中文"),
    ("你会说英语吗", "English"),
    ("Is this safe?", "encrypted"),
    ("这个安全吗", "加密"),
    ("What time is it?", "no clock"),
    ("现在几点了", "没有钟"),
    ("How is the weather?", "window"),
    ("今天天气怎么样", "窗户"),
    ("Tell me a joke", "UDP"),
    ("讲个笑话", "数据包"),
    ("a riddle, please", "mesh"),
    ("来个谜语", "对等网络"),
    ("flip a coin", "Tails."),
    ("抛个硬币", "反面"),
    ("roll a die", "Six."),
    ("掷骰子", "六点"),
    ("Sing something", "Roses"),
    ("写一首诗", "一问能教四座传"),
    ("Tell me a story", "Once"),
    ("讲个故事吧", "从前"),
    ("What is the meaning of life?", "42"),
    ("人生的意义是什么", "42"),
    ("I love you", "kind"),
    ("我喜欢你", "为你写的"),
    ("I'm feeling very sad", "somebody you trust"),
    ("我很难过", "温柔"),
    ("I am so tired", "break"),
    ("我好累啊", "休息"),
    ("I'm bored", "riddle"),
    ("好无聊", "谜语"),
    ("I am hungry", "kitchen"),
    ("肚子饿了", "厨房"),
    ("I am very happy", "glad"),
    ("我今天很开心", "好事"),
    ("I give up", "small step"),
    ("明天考试", "加油"),
    ("It's my birthday", "Happy birthday"),
    ("今天我生日", "生日快乐"),
    ("Happy New Year!", "full table"),
    ("新年快乐", "同乐"),
    ("I like old maps.", "best about old maps?"),
    ("我喜欢爬山", "爬山最吸引你的是什么"),
    ("How are you?", "in order"),
    ("what's up", "in order"),
    ("你好吗", "你呢"),
    ("Thank you very much", "welcome"),
    ("谢谢你", "不客气"),
    ("sorry!", "No harm"),
    ("对不起", "没关系"),
    ("You are stupid", "only as good"),
    ("你真笨", "改进"),
    ("You're great", "blush"),
    ("你真棒", "脸红"),
    ("Good night", "Good night!"),
    ("晚安", "晚安"),
    ("bye", "Goodbye"),
    ("再见", "再见"),
    ("GOOD MORNING", "Good MORNING to you"),
    ("早上好", "早上好呀"),
    ("Hello", "Hello!"),
    ("  hi there\n", "Hi there!"),
    ("你好", "你好！"),
    ("在吗", "请坐"),
    ("ok", "Good."),
    ("好的", "好的。"),
    ("nope", "As you like."),
    ("不要", "随你"),
    ("hahaha", "best dish"),
    ("哈哈哈", "最好的一道菜"),
    ("test", "I hear you"),
    ("测试一下", "收到"),
];

/// Texts that only contain the letters of a pattern, or nothing that the robot knows.
const ECHOED: &[&str] = &[
    "The history of bread",
    "This shiny thing",
    "Somehow it went",
    "abc 123",
    "黄河之水天上来",
    "人工神经元",
    "∑ x² ≠ 0",
    "",
    "   ",
    "🥘",
];

trait Say {
    /// The answer, however long it takes.
    fn say(&self, text: &str, pick: u64) -> Answer;
}

impl Say for Rules {
    fn say(&self, text: &str, pick: u64) -> Answer {
        self.answer(text, pick, &|| true).expect("it goes on")
    }
}

/// What two looks say: the first one sees that the file changes, the second that it is done.
fn settled(file: &RulesFile) -> Option<Result<usize, RulesError>> {
    file.poll().or_else(|| file.poll())
}

fn rules(source: &str) -> Rules {
    Rules::parse(source, "chat.toml").unwrap()
}

fn refused(source: &str) -> String {
    let text = Rules::parse(source, "chat.toml").expect_err(source).to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn the_built_in_rules_answer_in_both_languages() {
    let rules = Rules::built_in().unwrap();
    let mut hit = BTreeSet::new();
    for (text, expected) in CONVERSATION {
        let answers: Vec<Answer> = (0..12).map(|pick| rules.say(text, pick)).collect();
        let found = answers.iter().any(|answer| answer.text.contains(expected));
        assert!(found, "{text:?} gave {:?}", answers[0]);
        hit.extend(answers[0].rule);
    }
    let unreached: Vec<_> = (0..rules.len()).filter(|rule| !hit.contains(rule)).collect();
    assert_eq!(unreached, [0; 0], "rules that no line of the table reaches");
    for text in ECHOED {
        assert_eq!(rules.say(text, 0), Answer { text: (*text).to_owned(), rule: None });
    }
}

#[test]
fn the_first_match_wins_and_no_match_echoes() {
    let rules =
        rules("[[rule]]\npattern = 'a'\nreply = '1'\n[[rule]]\npattern = 'ab'\nreply = '2'\n");
    assert_eq!(rules.say("xAB", 0), Answer { text: "1".into(), rule: Some(0) });
    assert_eq!(rules.say(" xyz ", 7), Answer { text: " xyz ".into(), rule: None });
    assert!(Rules::parse("rule = []", "chat.toml").unwrap().is_empty());
}

#[test]
fn several_replies_take_turns_by_the_pick() {
    let rules = rules("[[rule]]\npattern = 'x'\nreplies = ['a', 'b', 'c']\n");
    let said: String = (0..6).map(|pick| rules.say("x", pick).text).collect();
    assert_eq!(said, "abcabc");
    assert_eq!(rules.say("x", u64::MAX), rules.say("x", u64::MAX));
}

#[test]
fn captures_fill_replies() {
    let rule = |pattern: &str, reply: &str| {
        rules(&format!("[[rule]]\npattern = '{pattern}'\nreply = '{reply}'\n"))
    };
    for (pattern, reply, text, said) in [
        (r"(\w+) and (\w+)", "$2, $1!", "salt and bread", "bread, salt!"),
        (r"我叫(?<name>\p{L}+)", "$name你好", "我叫小明", "小明你好"),
        (r"(\d)x", "${1}x$$1 $ 5 €$", "7x", "7x$1 $ 5 €$"),
        (r"a(b)?", "[$1]", "a", "[]"),
        (r".+", "$0 $0", "hm", "hm hm"),
        (r"(.+)", "$1", "$1 ${name} $$", "$1 ${name} $$"),
    ] {
        assert_eq!(rule(pattern, reply).say(text, 0).text, said, "{pattern}");
    }
}

#[test]
fn case_counts_only_where_it_is_asked_for() {
    let rules = rules(
        "[[rule]]\npattern = 'ÄB'\nreply = '1'\ncase_sensitive = true\n[[rule]]\npattern = 'Äb'\nreply = '2'",
    );
    assert_eq!(rules.say("ÄB", 0).text, "1");
    assert_eq!(rules.say("äB", 0).text, "2");
}

#[test]
fn every_mistake_is_one_line_with_its_place() {
    let ok = "[[rule]]\npattern = 'a'\nreply = 'b'\n";
    let table = [
        ("[[rule]]\npattern = '(a'\nreply = ''", "chat.toml:2: bad pattern: unclosed group"),
        (
            "\n[[rule]]\nreply = 'x'\npattern = '''\na{2}[b'''",
            "chat.toml:4: bad pattern: unclosed character class",
        ),
        (
            "[[rule]]\npattern = '\\w{1000}{1000}'\nreply = ''",
            "chat.toml:2: the pattern needs more than 1 MiB of memory; use smaller repetition counts",
        ),
        (
            "[[rule]]\npattern = ''\nreply = ''",
            "chat.toml:2: the pattern is empty and would match everything; write what to look for",
        ),
        (
            "[[rule]]\npattern = 'a'\n",
            "chat.toml:1: the rule has no reply; add a line reply = \"...\"",
        ),
        (
            "[[rule]]\npattern = 'a'\nreplies = []",
            "chat.toml:1: the rule has no reply; add a line reply = \"...\"",
        ),
        (
            "[[rule]]\npattern = 'a'\nreplies = ['b']\nreply = 'c'",
            "chat.toml:4: the rule has both reply and replies; keep one",
        ),
        (
            "[[rule]]\npattern = '(a)'\nreplies = ['$1',\n'$2']",
            "chat.toml:4: the reply uses $2, but the pattern has no such group (write ${1} where letters follow a number, $$ for a dollar sign)",
        ),
        ("[[rule]]\npattern = '(a)'\nreply = '${1'", "chat.toml:3: the reply has '${' without '}'"),
        ("[[rule]]\nreply = 'a'", "chat.toml:1: 'pattern' is missing"),
        (
            "[[rule]]\npatern = 'a'",
            "chat.toml:2: unknown setting 'patern' (known here: pattern, reply, replies, case_sensitive)",
        ),
        ("[[rules]]\npattern = 'a'", "chat.toml:1: unknown setting 'rules' (known here: rule)"),
        (
            "[[rule]]\npattern = 5",
            "chat.toml:2: wrong value: the number 5 where text in quotes is needed",
        ),
    ];
    for (source, expected) in table {
        assert_eq!(refused(source), expected, "{source}");
        if !source.contains("[[rules]]") {
            let lines = ok.lines().count();
            let later = refused(&format!("{ok}{source}"));
            let line = |text: &str| text.split(':').nth(1).map(|it| it.parse::<usize>().unwrap());
            assert_eq!(line(&later), line(expected).map(|line| line + lines), "{later}");
        }
    }
}

#[test]
fn sizes_are_bounded() {
    let one = |pattern: &str, reply: &str| {
        Rules::parse(&format!("[[rule]]\npattern = '{pattern}'\nreply = '{reply}'\n"), "chat.toml")
    };
    assert!(one(&"a".repeat(MAX_PATTERN), "x").is_ok());
    assert!(one(&"a".repeat(MAX_PATTERN + 1), "x").is_err());
    assert!(one("a", &"x".repeat(MAX_REPLY)).is_ok());
    assert!(one("a", &"x".repeat(MAX_REPLY + 1)).is_err());
    let many = |count: usize| "[[rule]]\npattern = 'a'\nreply = 'b'\n".repeat(count);
    assert_eq!(rules(&many(MAX_RULES)).len(), MAX_RULES);
    assert_eq!(
        refused(&many(MAX_RULES + 1)),
        "chat.toml:6001: more than 2000 rules; take some out"
    );
    let long = "#".repeat(MAX_FILE + 1);
    assert!(matches!(Rules::parse(&long, "f"), Err(RulesError::TooLarge { .. })));

    let echo = rules("rule = []").say(&"粥".repeat(MAX_TEXT), 0).text;
    assert_eq!(echo, "粥".repeat(MAX_TEXT / 3));
    let grown = one("(.+)", &"$1".repeat(100)).unwrap().say(&"粥".repeat(1000), 0).text;
    assert_eq!(grown, "粥".repeat(MAX_REPLY / 3));
}

#[test]
fn a_changed_file_is_read_again_and_a_bad_one_is_said_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.toml");
    let write = |reply: &str| {
        fs::write(&path, format!("[[rule]]\npattern = 'a'\nreply = {reply}\n")).unwrap()
    };
    write("'one'");
    let file = RulesFile::open(Some(path.clone())).unwrap();
    let said = || file.current().say("a", 0).text;
    assert_eq!((said(), settled(&file)), ("one".into(), None));
    write("'three'");
    assert_eq!(settled(&file), Some(Ok(1)));
    assert_eq!((said(), settled(&file)), ("three".into(), None));

    write("oops");
    let error = settled(&file).unwrap().unwrap_err();
    assert!(error.to_string().contains("chat.toml:3: "), "{error}");
    assert_eq!((said(), settled(&file)), ("three".into(), None));
    assert_eq!(file.last_error(), Some(error));

    fs::remove_file(&path).unwrap();
    assert_eq!((settled(&file), said()), (None, "three".into()));
    write("'four'");
    assert_eq!(settled(&file), Some(Ok(1)));
    assert_eq!((said(), file.last_error()), ("four".into(), None));

    // Replaced by a rename, as many editors save.
    let other = dir.path().join("new");
    fs::copy(&path, &other).unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(settled(&file), Some(Ok(1)));
}

#[test]
fn a_file_that_is_being_written_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.toml");
    let rule = "[[rule]]\npattern = 'a'\nreply = 'b'\n";
    fs::write(&path, rule.repeat(3)).unwrap();
    let file = RulesFile::open(Some(path.clone())).unwrap();
    // Piece by piece, a look after each.
    for count in 1..4 {
        fs::write(&path, rule.repeat(count) + "[[rule]]\n").unwrap();
        assert_eq!(file.poll(), None, "{count}");
    }
    assert_eq!(file.current().len(), 3);
    // Emptied, and the writer died.
    fs::write(&path, "").unwrap();
    let error = settled(&file).unwrap().unwrap_err().to_string();
    assert!(error.contains("chat.toml:1: it holds no rules; write rule = []"), "{error}");
    assert_eq!(file.current().len(), 3);
    fs::write(&path, "rule = []\n").unwrap();
    assert_eq!(settled(&file), Some(Ok(0)));
}

#[test]
fn many_rules_are_tried_while_it_is_worth_it() {
    let many: String = (0..MAX_RULES)
        .map(|n| {
            format!("[[rule]]\npattern = '(x|{n}|[a-z]{{1,20}}){{1,9}}!{n}$'\nreply = '{n}'\n")
        })
        .collect();
    let rules = rules(&many);
    assert!(rules.groups.len() > 10, "{} groups", rules.groups.len());
    let covered: Vec<usize> = rules.groups.iter().map(|group| group.first).collect();
    assert!(covered.is_sorted() && covered[0] == 0);
    assert_eq!(rules.say("x!1999", 0).rule, Some(MAX_RULES - 1));
    assert_eq!(rules.say("x!7", 0).rule, Some(7));
    let left = std::cell::Cell::new(3);
    let go_on = || left.replace(left.get() - 1) > 0;
    assert_eq!(rules.answer("x!1999", 0, &go_on), Err(TooSlow));
    assert_eq!(left.get(), -1);
    assert!(!rules.quick(MAX_TEXT) && Rules::built_in().unwrap().quick(72));
}

#[test]
fn a_file_that_appears_later_takes_over_from_the_built_in_rules() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.toml");
    assert!(matches!(RulesFile::open(Some(path.clone())), Err(RulesError::Unreadable { .. })));
    let file = RulesFile::open_if_there(path.clone()).unwrap();
    assert_eq!(file.current().len(), Rules::built_in().unwrap().len());
    assert_eq!(settled(&file), None);
    fs::write(&path, "\u{feff}[[rule]]\npattern = 'a'\nreply = 'b'\n").unwrap();
    assert_eq!(settled(&file), Some(Ok(1)));
    assert_eq!(RulesFile::open(None).unwrap().poll(), None);
}

#[test]
fn what_is_not_a_rule_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let open = |path: &Path| RulesFile::open(Some(path.to_owned())).unwrap_err();
    assert!(matches!(open(dir.path()), RulesError::Unreadable { .. }));
    let path = dir.path().join("binary");
    fs::write(&path, [0xff; 100]).unwrap();
    assert!(matches!(open(&path), RulesError::Unreadable { .. }));
    fs::write(&path, vec![b'#'; MAX_FILE + 1]).unwrap();
    assert!(matches!(open(&path), RulesError::TooLarge { .. }));
}

#[test]
fn the_example_in_the_docs_works() {
    let docs = include_str!("../../../../../docs/chat.md");
    let example = docs.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let rules = rules(example);
    assert_eq!(rules.say("When is LUNCH?", 1).text, "Twelve sharp.");
    assert_eq!(rules.say("my dog is called Rex", 0).text, "Rex is a good name for a dog.");
    assert_eq!(rules.say("我的狗叫旺财", 0).text, "旺财是只好狗。");
    assert_eq!(rules.say("NASA", 0).rule, Some(3));
    assert_eq!(rules.say("nasa", 0).rule, None);
}

static BUILT_IN_RULES: LazyLock<Rules> = LazyLock::new(|| Rules::built_in().unwrap());

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}|[\\x00-\\x7f]{0,50}", pick: u64) {
        let answer = BUILT_IN_RULES.say(&text, pick);
        prop_assert!(answer.text.len() <= MAX_REPLY);
        prop_assert!(answer.rule.is_some() || answer.text == text);
    }

    #[test]
    fn no_rule_panics(pattern in "\\PC{0,30}|[a-z()\\[\\]{}|*+?.0-9\\\\^$]{0,20}", reply in "\\PC{0,20}|[${}0-9a-z]{0,12}", text in "\\PC{0,60}") {
        let table = toml::toml! { pattern = "" reply = "" };
        let mut rule = table;
        rule.insert("pattern".into(), pattern.into());
        rule.insert("reply".into(), reply.into());
        let source = format!("[[rule]]\n{}", toml::to_string(&rule).unwrap());
        if let Ok(rules) = Rules::parse(&source, "chat.toml") {
            prop_assert!(rules.say(&text, 0).text.len() <= MAX_REPLY);
        }
    }

    #[test]
    fn no_file_panics(source in "\\PC*|(\\[\\[rule\\]\\]\n(pattern|reply|replies) = [-0-9\"\\[\\]a-z/]{0,20}\n){0,3}") {
        let _ = Rules::parse(&source, "chat.toml");
    }
}
