//! Tests of the settings: defaults, the template, the docs, and one line for each mistake.

use std::path::Path;

use super::*;

/// The template with its `#setting = value` lines taken in.
fn uncommented(template: &str) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => rest.to_owned(),
        _ => line.to_owned(),
    };
    template.lines().map(|it| line(it) + "\n").collect()
}

fn refused(source: &str) -> String {
    let error = Config::parse(source, Path::new("config.toml")).expect_err(source);
    let text = error.to_string();
    assert_eq!(text.lines().count(), 1, "more than one line: {text}");
    text
}

#[test]
fn the_template_is_the_default() {
    let template = Config::template();
    let parse = |source: &str| Config::parse(source, Path::new("template")).unwrap();
    assert_eq!(parse(&template), Config::default());
    let full = uncommented(&template);
    assert!(full.contains("\nmdns = true\n"), "{full}");
    assert_eq!(parse(&full), Config::default());
}

#[test]
fn template_and_docs_name_every_setting_and_default() {
    let docs = include_str!("../../../docs/configuration.md");
    let template = Config::template();
    let top = explain::known("");
    // The last are of people, and have no settings of fixed names.
    let (fixed, people) = top[3..].split_at(top.len() - 7);
    let sections = explain::with_settings();
    assert_eq!(fixed, sections);
    assert_eq!(people, ["allow", "limits", "blocked", "contacts"]);
    for section in people {
        assert!(template.contains(&format!("\n[{section}]\n")), "template: {section}");
        assert!(docs.contains(&format!("\n## `[{section}]`\n")), "docs: {section}");
    }
    for section in [""].iter().chain(&sections) {
        let known = explain::known(section);
        assert!(!known.is_empty(), "[{section}]");
        let is_section = |it: &str| people.iter().any(|one| one == it) || sections.contains(&it);
        for setting in known.iter().filter(|it| !is_section(it)) {
            assert!(template.contains(&format!("{setting} = ")), "template: {section}.{setting}");
            assert!(docs.contains(&format!("| `{setting}` |")), "docs: {section}.{setting}");
        }
    }
    let full = uncommented(&template);
    for line in full.lines().filter(|it| it.contains(" = ") && !it.starts_with('#')) {
        let (setting, value) = line.split_once(" = ").unwrap();
        if setting != "name" {
            let row = format!("| `{setting}` | `{value}` |");
            assert!(docs.contains(&row), "docs: {row}");
        }
    }
}

#[test]
fn a_missing_file_means_the_defaults_and_a_written_one_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    assert_eq!(Config::load(&path).unwrap(), Config::default());
    std::fs::write(&path, "name = \"Küche\"\n[services]\noffer = [\"chat\", \"recognize/1\"]\n")
        .unwrap();
    let config = Config::load(&path).unwrap();
    assert_eq!(config.name, "Küche");
    assert_eq!(config.services.offer, Some(vec!["chat/1".into(), "recognize/1".into()]));
    let again = Config::parse(&config.to_toml().unwrap(), &path).unwrap();
    assert_eq!(again, config);
}

#[test]
fn contacts_and_who_may_use_facepp_are_read_and_written_back() {
    let id = "12D3KooWA1bysjrTACSWqf6q172inxvwKHUxAnBtVgaVDKMxpZtx";
    let source = format!("[facepp]\nallow = [\"{id}\"]\n[contacts]\n小明 = \"{id}\"\n");
    // TOML wants quotes around a name that is not ASCII.
    let source = source.replace("小明", "\"小明\"");
    let config = Config::parse(&source, Path::new("config.toml")).unwrap();
    let parsed: libp2p::PeerId = id.parse().unwrap();
    let facepp: crate::services::facepp::Options = config.section();
    assert_eq!(facepp.allow, Allow::Only(vec![parsed]));
    assert_eq!(config.contacts.0.get("小明"), Some(&parsed));
    let again = Config::parse(&config.to_toml().unwrap(), Path::new("again")).unwrap();
    assert_eq!(again, config);
}

#[test]
fn what_is_not_a_settings_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Config::load(dir.path()), Err(ConfigError::Unreadable { .. })));
    let path = dir.path().join("binary");
    std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    assert!(matches!(Config::load(&path), Err(ConfigError::Unreadable { .. })));
    std::fs::File::create(&path).unwrap().set_len(MAX_FILE + 1).unwrap();
    assert!(matches!(Config::load(&path), Err(ConfigError::TooLarge { .. })));
}

#[test]
fn every_mistake_is_one_line_with_its_place() {
    let table = [
        (
            "\n[network]\nlisen = []\n",
            "config.toml:3: unknown setting 'lisen' (did you mean 'listen'?)",
        ),
        ("nmae = \"x\"", "config.toml:1: unknown setting 'nmae' (did you mean 'name'?)"),
        ("mdns = false", "config.toml:1: unknown setting 'mdns' (it belongs below [network])"),
        (
            "[netwrok]\nmdns = false",
            "config.toml:1: unknown setting 'netwrok' (did you mean 'network'?)",
        ),
        ("[chat]\nhue = 1", "config.toml:2: unknown setting 'hue' (known here: rules)"),
        (
            "[network]\n\nmdns = \"yes\"",
            "config.toml:3: 'network.mdns': wrong value: the text \"yes\" where true or false is needed",
        ),
        (
            "network = 3",
            "config.toml:1: 'network': wrong value: the number 3 where a section, written as [name] on its own line is needed",
        ),
        (
            "name = 3",
            "config.toml:1: 'name': wrong value: the number 3 where text in quotes is needed",
        ),
        (
            "[network]\njoin = \"/ip4/1.2.3.4/tcp/1\"",
            "config.toml:2: 'network.join': wrong value: the text \"/ip4/1.2.3.4/tcp/1\" where a list such as [\"a\", \"b\"] is needed",
        ),
        ("[services]\nqueue = 0", "config.toml:2: 'services.queue': 0 is not from 1 to 10000"),
        ("[services]\nthreads = -1", "config.toml:2: 'services.threads': -1 is not from 0 to 1024"),
        (
            "[services]\nthreads = 1.5",
            "config.toml:2: 'services.threads': wrong value: the number 1.5 where a whole number is needed",
        ),
        (
            "[network]\nconnections = 300\nmax_connections = 200",
            "config.toml:3: 'max_connections' (200) is below 'connections' (300); raise it to 300 or more",
        ),
        (
            "[network]\nconnections = 300",
            "config.toml:2: 'max_connections' (200) is below 'connections' (300); raise it to 300 or more",
        ),
        (
            "[services]\nwithhold = [\n \"chat\",\n \"Chat Bot\",\n]",
            "config.toml:4: 'services.withhold': 'Chat Bot' is not a capability name (write a name such as chat, or chat/1 with its version)",
        ),
        (
            "mesh = \"My Mesh\"",
            "config.toml:1: 'mesh': 'My Mesh' is not a mesh name (1 to 32 of a-z, 0-9, '-', '_', '.')",
        ),
        (
            "name = \"\"",
            "config.toml:1: 'name': '' is not a node name (1 to 64 characters on one line)",
        ),
        (
            "[recognize]\nengine = \"cuda\"",
            "config.toml:2: 'recognize.engine': 'cuda' is not an engine (write \"auto\", \"onnxruntime\" or \"tract\")",
        ),
        (
            "[facepp]\nbase = \"http://api-cn.faceplusplus.com\"",
            "config.toml:2: 'facepp.base': 'http://api-cn.faceplusplus.com' is not an address for a key: the key would travel unprotected (write one such as https://api-us.faceplusplus.com)",
        ),
        (
            "[facepp]\nallow = \"friends\"",
            "config.toml:2: 'facepp.allow': 'friends' says nobody (write \"contacts\", \"everyone\", \"nobody\" or a list of client ids)",
        ),
        (
            "[allow]\nChat = \"contacts\"",
            "config.toml:2: 'Chat' is not a capability name (write a name such as chat, or chat/1 with its version)",
        ),
        (
            "[allow]\nchat = \"friends\"",
            "config.toml:2: 'allow.chat': 'friends' says nobody (write \"contacts\", \"everyone\", \"nobody\" or a list of client ids)",
        ),
        (
            "[limits]\nChat = {}",
            "config.toml:2: 'Chat' is not a capability name (write a name such as chat, or chat/1 with its version)",
        ),
        (
            "[limits]\nchat = { at_once = 0 }",
            "config.toml:2: 'limits.chat': 0 is not from 1 to 1000000",
        ),
        (
            "[limits.chat]\nper_hour = 3",
            "config.toml:2: unknown setting 'per_hour' (known here: at_once, per_minute, per_day)",
        ),
        (
            "[blocked]\nmallory = \"bob\"",
            "config.toml:2: 'blocked.mallory': 'bob' is not a client id (`potluck id` on that person's machine prints it)",
        ),
        (
            "[facepp]\nallow = [\n \"alice\",\n]",
            "config.toml:3: 'facepp.allow': 'alice' is not a client id (`potluck id` on that person's machine prints it)",
        ),
        (
            "[facepp]\ndaily_calls = -1",
            "config.toml:2: 'facepp.daily_calls': -1 is not from 0 to 1000000",
        ),
        (
            "[contacts]\nalice = \"bob\"",
            "config.toml:2: 'contacts.alice': 'bob' is not a client id (`potluck id` on that person's machine prints it)",
        ),
    ];
    for (source, expected) in table {
        assert_eq!(refused(source), expected);
    }
}

#[test]
fn an_address_in_another_spelling_gets_the_right_one() {
    let text =
        refused("[network]\njoin = [\n  \"/ip4/10.0.0.1/tcp/1\",\n  \"192.168.1.20:4001\",\n]");
    assert!(
        text.starts_with("config.toml:4: 'network.join': '192.168.1.20:4001' is not an address"),
        "{text}"
    );
    assert!(text.ends_with("(did you mean /ip4/192.168.1.20/tcp/4001?)"), "{text}");
    assert!(refused("[network]\nlisten = [\"\"]").contains("is not an address: it is empty"));
}

#[test]
fn broken_toml_is_one_line_with_its_place() {
    for source in
        ["name = ", "\n\n[network\n", "a = \"\n", "name = \"a\"\nname = \"b\"", "= 1", "\u{0}"]
    {
        let text = refused(source);
        assert!(text.starts_with("config.toml:"), "{text}");
    }
    assert!(refused("name = \"a\"\nname = \"b\"").starts_with("config.toml:2: "));
}

#[test]
fn capability_names_are_taken_with_and_without_version() {
    for (text, name) in
        [("chat", "chat/1"), ("chat/1", "chat/1"), ("csv.describe/12", "csv.describe/12")]
    {
        assert_eq!(capability_name(text).as_deref(), Ok(name));
    }
    for text in [
        "",
        "/",
        "/1",
        "chat/",
        "chat/0",
        "chat/01",
        "chat/1/1",
        "chat/x",
        "Chat",
        "1chat",
        "聊天",
        "a b",
        "chat/1000",
    ] {
        assert!(capability_name(text).is_err(), "{text}");
    }
    assert!(capability_name(&"a".repeat(33)).is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*|(\\[(network|chat|services)\\]\n)?[a-z_]{1,16} = [-0-9\"\\[\\]a-z/]{0,20}\n") {
        let _ = Config::parse(&text, Path::new("config.toml"));
        let _ = address(&text);
        let _ = capability_name(&text);
    }
}
