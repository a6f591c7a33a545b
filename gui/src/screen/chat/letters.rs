//! What the chat knows of letters: a conversation with each person, kept up by news.

use std::collections::{BTreeMap, BTreeSet};

use potluck::{
    client::View,
    identity::short,
    mail::{
        News,
        ask::{Coming, Contact, Incoming, Outgoing},
        records::Stage,
    },
};

use crate::{
    backend::post::Letters,
    words::{Lang, chat as words},
};

/// Letters among which one that is under way is looked for.
const RECENT: usize = 64;

/// A letter, of either side.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// It came.
    Came(Incoming),
    /// This node's person wrote it.
    Went(Outgoing),
}

/// All letters from and to one person.
#[derive(Debug, Default)]
pub struct Conversation {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// Those that are arriving.
    pub coming: Vec<Coming>,
}

/// All conversations.
#[derive(Debug, Default)]
pub struct Book {
    conversations: BTreeMap<String, Conversation>,
    people: BTreeMap<String, Contact>,
    me: String,
}

/// A person, as the list shows them.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The client id.
    pub id: String,
    /// The nickname.
    pub name: String,
    /// Whether their node is there.
    pub on: bool,
    /// When the last letter was written, where there is one.
    pub at: Option<u64>,
    /// What it says.
    pub preview: String,
    /// Letters that were not seen.
    pub unseen: usize,
}

impl Entry {
    /// The letter's id.
    pub fn id(&self) -> &str {
        match self {
            Self::Came(one) => &one.id,
            Self::Went(one) => &one.id,
        }
    }

    /// Where it stands: what came, by when it came, since other clocks may be wrong.
    pub fn at(&self) -> u64 {
        match self {
            Self::Came(one) => one.came_at,
            Self::Went(one) => one.written_at,
        }
    }

    /// The client id of the other person.
    pub fn with(&self) -> &str {
        match self {
            Self::Came(one) => &one.from,
            Self::Went(one) => &one.to,
        }
    }

    /// What was written.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Came(one) => one.contents.as_ref()?.text.as_deref(),
            Self::Went(one) => one.text.as_deref(),
        }
    }

    /// Names of the files and folders that are listed.
    pub fn files(&self) -> Vec<String> {
        match self {
            Self::Came(one) => {
                let listed = one.contents.iter().flat_map(|contents| &contents.listed);
                // What is inside a folder is not shown beside it.
                let top: BTreeSet<_> = listed
                    .filter_map(|one| one.path.split('/').next())
                    .map(str::to_owned)
                    .collect();
                top.into_iter().collect()
            }
            Self::Went(one) => {
                let name = |path: &std::path::PathBuf| {
                    path.file_name().map(|name| name.to_string_lossy().into_owned())
                };
                one.files.iter().filter_map(name).collect()
            }
        }
    }

    /// Whether it came and can be looked at, and was not.
    pub fn is_unseen(&self) -> bool {
        matches!(self, Self::Came(one) if is_ready(one) && !one.seen)
    }

    fn name(&self) -> &str {
        match self {
            Self::Came(one) => &one.from_name,
            Self::Went(one) => &one.to_name,
        }
    }

    fn preview(&self, lang: Lang) -> String {
        if let Self::Came(Incoming { trouble: Some(_), .. }) = self {
            return words::not_believed(lang).to_owned();
        }
        let files = self.files();
        let said = match (self.text().filter(|text| !text.trim().is_empty()), files.as_slice()) {
            (Some(text), _) => text.split_whitespace().collect::<Vec<_>>().join(" "),
            (None, [one]) => words::file(lang, one),
            (None, []) => words::opening(lang).to_owned(),
            (None, many) => words::files(lang, many.len()),
        };
        match self {
            Self::Came(_) => said,
            Self::Went(_) => words::you_said(lang, &said),
        }
    }

    fn says(&self, search: &str) -> bool {
        self.text().is_some_and(|text| text.to_lowercase().contains(search))
            || self.files().iter().any(|file| file.to_lowercase().contains(search))
    }
}

/// Whether it was opened, or cannot be.
fn is_ready(letter: &Incoming) -> bool {
    letter.contents.is_some() || letter.trouble.is_some()
}

impl Conversation {
    /// Letters that were not seen.
    pub fn unseen(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_unseen())
    }

    /// Whether something is on its way now.
    pub fn is_moving(&self) -> bool {
        let moves = |entry: &Entry| matches!(entry, Entry::Went(one) if one.moved.is_some());
        self.coming.iter().any(|one| !one.paused)
            || self.entries.iter().rev().take(RECENT).any(moves)
    }

    /// Whether only a stranger wrote here, whom nobody answered.
    fn is_request(&self) -> bool {
        let asked = |entry: &Entry| matches!(entry, Entry::Came(one) if one.stranger);
        let answered = |entry: &Entry| matches!(entry, Entry::Went(_));
        self.entries.iter().any(asked) && !self.entries.iter().any(answered)
    }
}

impl Book {
    /// This node's own client id; empty until letters were read.
    pub fn me(&self) -> &str {
        &self.me
    }

    /// Everything anew.
    pub fn fill(&mut self, letters: Letters) {
        let mut entries: Vec<_> = letters.came.into_iter().map(Entry::Came).collect();
        entries.extend(letters.went.into_iter().map(Entry::Went));
        entries.sort_by(|one, other| (one.at(), one.id()).cmp(&(other.at(), other.id())));
        self.conversations.clear();
        self.me = letters.me;
        for entry in entries {
            let with = entry.with().to_owned();
            self.conversations.entry(with).or_default().entries.push(entry);
        }
        for one in letters.coming {
            self.conversations.entry(one.from.clone()).or_default().coming.push(one);
        }
        self.people =
            letters.people.into_iter().map(|person| (person.id.clone(), person)).collect();
    }

    /// Something about a letter changed. Says whether that is one to be told of.
    pub fn hear(&mut self, news: News) -> bool {
        match news {
            News::Came(letter) => self.put(Entry::Came(*letter)),
            News::Went(letter) => self.put(Entry::Went(*letter)),
            News::Gone(id) => {
                for conversation in self.conversations.values_mut() {
                    conversation.entries.retain(|entry| entry.id() != id);
                }
                false
            }
        }
    }

    /// Puts a letter in its place. Says whether it is a new one to look at.
    pub fn put(&mut self, entry: Entry) -> bool {
        let conversation = self.conversations.entry(entry.with().to_owned()).or_default();
        conversation.coming.retain(|one| one.id != entry.id());
        let entries = &mut conversation.entries;
        if let Some(known) = entries.iter_mut().rev().find(|known| known.id() == entry.id()) {
            let news = entry.is_unseen() && !known.is_unseen();
            *known = entry;
            return news;
        }
        let key = (entry.at(), entry.id().to_owned());
        let at =
            entries.partition_point(|known| (known.at(), known.id()) <= (key.0, key.1.as_str()));
        let news = entry.is_unseen();
        entries.insert(at, entry);
        news
    }

    /// How far letters from and to one person are.
    pub fn moved(&mut self, with: &str, went: Vec<Outgoing>, coming: Vec<Coming>) {
        for one in went {
            self.put(Entry::Went(one));
        }
        self.conversations.entry(with.to_owned()).or_default().coming = coming;
    }

    /// For whom a letter waits on this node.
    pub fn queued(&self) -> impl Iterator<Item = &str> {
        let waits = |entry: &Entry| matches!(entry, Entry::Went(one) if one.stage == Stage::Queued);
        let all = self.conversations.iter();
        let all = all.filter(move |(_, talk)| talk.entries.iter().rev().take(RECENT).any(waits));
        all.map(|(id, _)| id.as_str())
    }

    /// The letter of that id.
    pub fn letter(&self, id: &str) -> Option<&Entry> {
        let mut all = self.conversations.values().flat_map(|talk| &talk.entries);
        all.find(|entry| entry.id() == id)
    }

    /// The conversation with somebody.
    pub fn with(&self, id: &str) -> Option<&Conversation> {
        self.conversations.get(id)
    }

    /// Whether somebody is a stranger who wrote and waits for a yes.
    pub fn asks(&self, id: &str, accepted: &BTreeSet<String>) -> bool {
        !accepted.contains(id) && self.with(id).is_some_and(Conversation::is_request)
    }

    /// Everybody who waits for a yes, the last first.
    pub fn requests(&self, accepted: &BTreeSet<String>) -> Vec<&str> {
        let all = self.conversations.iter().filter(|(id, _)| self.asks(id, accepted));
        let mut all: Vec<_> =
            all.map(|(id, talk)| (talk.entries.last().map(Entry::at), id.as_str())).collect();
        all.sort_by(|one, other| other.cmp(one));
        all.into_iter().map(|(_, id)| id).collect()
    }

    /// Letters of known people that were not seen, and requests.
    pub fn unread(&self, accepted: &BTreeSet<String>) -> usize {
        let count = |(id, talk): (&String, &Conversation)| match self.asks(id, accepted) {
            true => 1,
            false => talk.unseen().count(),
        };
        self.conversations.iter().map(count).sum()
    }

    /// The nickname of somebody, or a short form of the id.
    pub fn name(&self, id: &str, view: &View) -> String {
        let there = view.mesh.peers.values().find(|peer| *peer.id == *id);
        self.named(id, there.map(|peer| peer.advert.name.as_str()))
    }

    fn named(&self, id: &str, there: Option<&str>) -> String {
        let written = self.with(id).and_then(|talk| talk.entries.last()).map(Entry::name);
        let met = self.people.get(id).map(|person| person.name.as_str());
        let named = [written, there, met].into_iter().flatten().find(|name| !name.is_empty());
        named.map_or_else(|| short(id), str::to_owned)
    }

    /// When somebody was last seen, in Unix milliseconds.
    pub fn seen_at(&self, id: &str) -> Option<u64> {
        self.people.get(id).map(|person| person.seen_at).filter(|at| *at > 0)
    }

    /// Who can be written to: those with letters first, the last on top.
    pub fn rows(
        &self,
        lang: Lang,
        view: &View,
        accepted: &BTreeSet<String>,
        search: &str,
    ) -> Vec<Row> {
        let search = search.trim().to_lowercase();
        let there: BTreeMap<&str, (bool, &str)> = view
            .mesh
            .peers
            .values()
            .map(|peer| (&*peer.id, (!peer.suspect, peer.advert.name.as_str())))
            .collect();
        // What carries letters has a sealing key.
        let can_take = view.mesh.peers.values().filter(|peer| peer.advert.sealing.is_some());
        let mut ids: BTreeSet<&str> = can_take.map(|peer| &*peer.id).collect();
        let met = self.people.values().filter(|person| person.takes_letters);
        ids.extend(met.map(|person| person.id.as_str()));
        let talked = self.conversations.iter();
        let talked = talked.filter(|(_, talk)| !talk.entries.is_empty() || !talk.coming.is_empty());
        ids.extend(talked.map(|(id, _)| id.as_str()));
        let mut rows: Vec<_> = ids
            .into_iter()
            .filter(|id| !self.asks(id, accepted))
            .filter_map(|id| {
                let node = there.get(id);
                let name = self.named(id, node.map(|(_, name)| *name));
                let talk = self.with(id);
                let entries = talk.map_or(&[][..], |talk| talk.entries.as_slice());
                let fits = search.is_empty() || name.to_lowercase().contains(&search);
                let shown = match fits {
                    true => entries.last(),
                    false => Some(entries.iter().rev().find(|entry| entry.says(&search))?),
                };
                Some(Row {
                    id: id.to_owned(),
                    on: node.is_some_and(|(on, _)| *on),
                    at: shown.map(Entry::at),
                    preview: shown.map_or_else(String::new, |entry| entry.preview(lang)),
                    unseen: talk.map_or(0, |talk| talk.unseen().count()),
                    name,
                })
            })
            .collect();
        rows.sort_by(|one, other| {
            let key = |row: &Row| (std::cmp::Reverse(row.at), !row.on, row.name.to_lowercase());
            (key(one), &one.id).cmp(&(key(other), &other.id))
        });
        rows
    }
}

#[cfg(test)]
mod tests {
    use potluck::mail::letter::Contents;

    use super::*;

    fn came(id: &str, from: &str, at: u64, text: Option<&str>) -> Incoming {
        Incoming {
            id: id.to_owned(),
            from: from.to_owned(),
            from_name: from.to_owned(),
            stranger: from == "stranger",
            contents: text
                .map(|text| Contents { text: Some(text.to_owned()), ..Contents::default() }),
            trouble: None,
            written_at: at,
            came_at: at,
            seen: false,
        }
    }

    fn went(id: &str, to: &str, at: u64) -> Outgoing {
        Outgoing {
            id: id.to_owned(),
            to: to.to_owned(),
            to_name: to.to_owned(),
            text: Some("hello".to_owned()),
            files: Vec::new(),
            bytes: 5,
            stage: Stage::Queued,
            held_by: Vec::new(),
            written_at: at,
            changed_at: at,
            expires_at: at,
            why: None,
            waits: None,
            paused: false,
            sealed: 300,
            moved: None,
        }
    }

    fn order(book: &Book, with: &str) -> Vec<String> {
        let talk = book.with(with).unwrap();
        talk.entries.iter().map(|entry| entry.id().to_owned()).collect()
    }

    #[test]
    fn letters_stand_in_the_order_of_time_whatever_order_they_are_told_in() {
        let mut book = Book::default();
        book.put(Entry::Came(came("c", "anna", 30, Some("third"))));
        book.put(Entry::Went(went("a", "anna", 10)));
        book.put(Entry::Came(came("b", "anna", 20, Some("second"))));
        assert_eq!(order(&book, "anna"), ["a", "b", "c"]);
        // A later word of a letter takes its place.
        let delivered = Outgoing { stage: Stage::Delivered, ..went("a", "anna", 10) };
        book.hear(News::Went(Box::new(delivered)));
        assert_eq!(order(&book, "anna"), ["a", "b", "c"]);
        book.hear(News::Gone("b".to_owned()));
        assert_eq!(order(&book, "anna"), ["a", "c"]);
    }

    #[test]
    fn a_letter_is_told_of_once_when_it_can_be_read() {
        let mut book = Book::default();
        let none = BTreeSet::new();
        assert!(!book.put(Entry::Came(came("a", "anna", 1, None))));
        assert_eq!(book.unread(&none), 0);
        assert!(book.put(Entry::Came(came("a", "anna", 1, Some("hello")))));
        assert!(!book.put(Entry::Came(came("a", "anna", 1, Some("hello")))));
        assert_eq!(book.unread(&none), 1);
        let seen = Incoming { seen: true, ..came("a", "anna", 1, Some("hello")) };
        assert!(!book.put(Entry::Came(seen)));
        assert_eq!(book.unread(&none), 0);
    }

    #[test]
    fn strangers_wait_until_they_are_accepted_or_answered() {
        let mut book = Book::default();
        let none = BTreeSet::new();
        book.put(Entry::Came(came("a", "stranger", 1, Some("may I?"))));
        book.put(Entry::Came(came("b", "stranger", 2, Some("hello?"))));
        let rows = |book: &Book, accepted: &BTreeSet<String>| {
            let all = book.rows(Lang::En, &View::default(), accepted, "");
            all.into_iter().map(|row| row.id).collect::<Vec<_>>()
        };
        assert_eq!(book.requests(&none), ["stranger"]);
        // A request counts once, whatever they write.
        assert_eq!((book.unread(&none), rows(&book, &none).len()), (1, 0));
        let accepted = BTreeSet::from(["stranger".to_owned()]);
        assert_eq!((book.unread(&accepted), rows(&book, &accepted)), (2, vec!["stranger".into()]));
        book.put(Entry::Went(went("c", "stranger", 3)));
        assert!(book.requests(&none).is_empty());
    }

    #[test]
    fn the_search_finds_people_and_what_they_wrote() {
        let mut book = Book::default();
        book.put(Entry::Came(came("a", "anna", 1, Some("The survey is done"))));
        book.put(Entry::Came(came("b", "anna", 2, Some("thanks"))));
        book.put(Entry::Came(came("c", "王子涵", 3, Some("作业周五前交"))));
        let find = |search: &str| {
            let all = book.rows(Lang::En, &View::default(), &BTreeSet::new(), search);
            all.into_iter().map(|row| (row.id, row.preview)).collect::<Vec<_>>()
        };
        let row = |id: &str, preview: &str| (id.to_owned(), preview.to_owned());
        assert_eq!(find(""), [row("王子涵", "作业周五前交"), row("anna", "thanks")]);
        assert_eq!(find("SURVEY"), [row("anna", "The survey is done")]);
        assert_eq!(find("周五"), [row("王子涵", "作业周五前交")]);
        assert_eq!(find("Anna"), [row("anna", "thanks")]);
        assert_eq!(find("nothing of it"), []);
    }

    #[test]
    fn ten_thousand_letters_are_quick_to_keep_up() {
        let mut book = Book::default();
        let letters = (0..10_000).map(|n| came(&format!("{n:05}"), "anna", n, Some("hello")));
        book.fill(Letters { came: letters.collect(), ..Letters::default() });
        assert_eq!(book.unread(&BTreeSet::new()), 10_000);
        for n in 10_000..10_200 {
            assert!(book.put(Entry::Came(came(&format!("{n:05}"), "anna", n, Some("more")))));
        }
        assert_eq!(order(&book, "anna").len(), 10_200);
    }
}
