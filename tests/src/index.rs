//! A package index on loopback: static pages over houses of wheels, what it was asked, and faults.

mod pages;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oci::Digest;

use crate::house::Offer;
use crate::http::{self, Answer, Asked};
use crate::listener::Listener;
use crate::{Failure, House, Login, Result};
use pages::Listed;

/// A running index. It ends when this is dropped.
pub struct Index {
    listener: Listener,
    shared: Arc<Shared>,
}

/// How an index answers.
#[derive(Debug, Clone, Default)]
pub struct IndexRules {
    /// Who alone may read it; everybody if absent.
    pub login: Option<Login>,
    /// What pages are written in.
    pub form: Form,
    /// When files were uploaded (RFC 3339), by the beginnings of their names; 2026-01-01 otherwise.
    pub uploaded: Vec<(&'static str, &'static str)>,
}

/// What pages are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// HTML only, as of a static index.
    #[default]
    Html,
    /// JSON for those who ask for it.
    Json,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An answer with this status and a few words.
    Status(u16),
    /// A page of HTML, with status 200, that is no index's.
    WebPage,
    /// The connection breaks after so many bytes of the body.
    Cut(u64),
    /// No answer, for as long as the index is there.
    Hang,
    /// Pages tell another hash than that of the file.
    WrongHash,
    /// Ranges are ignored.
    NoRanges,
}

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// `GET` or `HEAD`.
    pub method: String,
    /// Without a query.
    pub path: String,
    /// The header `Range`.
    pub range: Option<String>,
    /// The header `User-Agent`.
    pub agent: String,
    /// The answer's status; 0 if it hangs.
    pub status: u16,
    /// Bytes of the answer's body.
    pub bytes: u64,
    /// Who asked, if they said so.
    pub user: Option<String>,
}

struct Shared {
    rules: IndexRules,
    files: BTreeMap<String, (PathBuf, Offer)>,
    /// The files are there as long as these are.
    #[expect(dead_code, reason = "only kept")]
    kept: Vec<House>,
    faults: Mutex<Vec<Planned>>,
    log: Mutex<Vec<Fetch>>,
    ending: AtomicBool,
}

/// A fault to come.
#[derive(Debug, Clone)]
struct Planned {
    /// What the path has in it.
    path: String,
    fault: Fault,
    times: usize,
}

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/vnd.pypi.simple.v1+json";

impl Index {
    /// Serves these houses to everybody, as static HTML.
    pub fn of(houses: &[&House]) -> Result<Self> {
        Index::with_rules(houses, IndexRules::default())
    }

    /// Serves these houses; a file that two have comes from the later.
    pub fn with_rules(houses: &[&House], rules: IndexRules) -> Result<Self> {
        let mut files = BTreeMap::new();
        for house in houses {
            for offer in house.offers()? {
                files.insert(offer.file.clone(), (house.path().join(&offer.file), offer));
            }
        }
        let kept = houses.iter().map(|house| (*house).clone()).collect();
        let (faults, log, ending) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        let shared = Arc::new(Shared { rules, files, kept, faults, log, ending });
        let at_work = shared.clone();
        let listener = Listener::start("an index", move |stream| {
            http::serve(&stream, |asked| at_work.answer(asked));
        })?;
        Ok(Index { listener, shared })
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.listener.port())
    }

    /// What `--index-url` takes.
    pub fn url(&self) -> String {
        format!("http://{}/simple/", self.host())
    }

    /// The same with a name and a password in it.
    pub fn url_of(&self, login: Login) -> Result<String> {
        let mut url =
            url::Url::parse(&self.url()).map_err(Failure::doing("read the index's URL"))?;
        url.set_password(Some(login.password)).map_err(|()| Failure::new("no password fits"))?;
        url.set_username(login.user).map_err(|()| Failure::new("no user fits"))?;
        Ok(url.to_string())
    }

    /// Where a file is.
    pub fn file_url(&self, file: &str) -> String {
        format!("http://{}/files/{file}", self.host())
    }

    /// Every request whose path has `path` in it meets this from now on.
    pub fn break_at(&self, path: &str, fault: Fault) {
        self.break_times(path, fault, usize::MAX);
    }

    /// So many requests whose path has `path` in it meet this.
    pub fn break_times(&self, path: &str, fault: Fault, times: usize) {
        locked(&self.shared.faults).push(Planned { path: path.to_owned(), fault, times });
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        locked(&self.shared.faults).clear();
    }

    /// What was asked, in the order of the answers.
    pub fn requests(&self) -> Vec<Fetch> {
        locked(&self.shared.log).clone()
    }

    /// Bytes of all answers' bodies.
    pub fn bytes(&self) -> u64 {
        locked(&self.shared.log).iter().map(|fetch| fetch.bytes).sum()
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        locked(&self.shared.log).clear();
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        // Those who hang, and connections that are kept, see it.
        self.shared.ending.store(true, Ordering::Relaxed);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Answers and keeps what was asked; no answer ends the connection.
    fn answer(&self, asked: &Asked) -> Option<Answer> {
        if self.ending.load(Ordering::Relaxed) {
            return None;
        }
        let fault = self.fault(&asked.path);
        let answer = match fault {
            Some(Fault::Hang) => None,
            Some(Fault::Status(status)) => Some(Answer::text(status, "text/plain", "out of order")),
            Some(Fault::WebPage) => Some(Answer::text(200, HTML, "<html><h1>Sign in</h1></html>")),
            _ => Some(self.sound(asked, fault)),
        };
        let cut = match fault {
            Some(Fault::Cut(after)) => Some(after),
            _ => None,
        };
        let answer = answer.map(|answer| Answer { cut, ..answer });
        self.keep(asked, answer.as_ref());
        if answer.is_none() {
            self.wait_for_the_end();
        }
        answer
    }

    fn fault(&self, path: &str) -> Option<Fault> {
        let mut faults = locked(&self.faults);
        let met =
            faults.iter_mut().find(|planned| planned.times > 0 && path.contains(&planned.path))?;
        met.times = met.times.saturating_sub(1);
        Some(met.fault)
    }

    fn keep(&self, asked: &Asked, answer: Option<&Answer>) {
        let sent = |answer: &Answer| answer.size().min(answer.cut.unwrap_or(u64::MAX));
        let body = answer.filter(|_| asked.method != "HEAD");
        locked(&self.log).push(Fetch {
            method: asked.method.clone(),
            path: asked.path.clone(),
            range: asked.range.clone(),
            agent: asked.agent.clone(),
            status: answer.map_or(0, |answer| answer.status),
            bytes: body.map_or(0, sent),
            user: asked.basic().map(|(user, _)| user),
        });
    }

    fn wait_for_the_end(&self) {
        while !self.ending.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What an index answers when nothing is broken but its hashes and ranges.
    fn sound(&self, asked: &Asked, fault: Option<Fault>) -> Answer {
        if !self.lets_in(asked) {
            return Answer::text(401, "text/plain", "who are you?")
                .with("WWW-Authenticate", "Basic realm=\"testbed index\"");
        }
        if !matches!(asked.method.as_str(), "GET" | "HEAD") {
            return Answer::text(405, "text/plain", "only to be read");
        }
        let path = asked.path.strip_prefix('/').unwrap_or_default();
        let found = match path.split_once('/') {
            Some(("simple", "")) => Some(self.root()),
            Some(("simple", project)) => self.project(project, asked, fault),
            Some(("files", file)) => self.file(file, asked, fault),
            _ => None,
        };
        found.unwrap_or_else(|| Answer::text(404, "text/plain", "not here"))
    }

    fn lets_in(&self, asked: &Asked) -> bool {
        self.rules.login.is_none_or(|login| {
            asked
                .basic()
                .is_some_and(|(user, password)| user == login.user && password == login.password)
        })
    }

    fn root(&self) -> Answer {
        let mut projects: Vec<_> =
            self.files.values().map(|(_, offer)| offer.project.as_str()).collect();
        projects.sort_unstable();
        projects.dedup();
        Answer::text(200, HTML, pages::root(&projects))
    }

    fn project(&self, path: &str, asked: &Asked, fault: Option<Fault>) -> Option<Answer> {
        let name = path.strip_suffix('/')?;
        let of_project = self.files.values().map(|(_, offer)| offer);
        let of_project = of_project.filter(|offer| offer.project == name);
        let wrong = Digest::of(b"something else").hex().to_owned();
        let listed = |offer| Listed {
            offer,
            sha256: if fault == Some(Fault::WrongHash) { &wrong } else { &offer.sha256 },
            uploaded: self.uploaded(&offer.file),
        };
        let files: Vec<_> = of_project.map(listed).collect();
        if files.is_empty() {
            return None;
        }
        let page = match self.rules.form {
            Form::Json if asked.accept.contains(JSON) => (JSON, pages::project_json(name, &files)),
            _ => (HTML, pages::project_html(&files)),
        };
        let tag = format!("\"{}\"", Digest::of(page.1.as_bytes()).hex());
        if asked.if_none_match.as_ref() == Some(&tag) {
            return Some(Answer::text(304, page.0, "").with("ETag", tag));
        }
        let answer = Answer::text(200, page.0, page.1).with("ETag", tag);
        Some(answer.with("Cache-Control", "max-age=600"))
    }

    fn uploaded(&self, file: &str) -> &str {
        let mut told = self.rules.uploaded.iter();
        told.find(|(start, _)| file.starts_with(start))
            .map_or("2026-01-01T00:00:00Z", |told| told.1)
    }

    fn file(&self, name: &str, asked: &Asked, fault: Option<Fault>) -> Option<Answer> {
        let (path, metadata) = match name.strip_suffix(".metadata") {
            Some(wheel) => (with_suffix(&self.files.get(wheel)?.0), true),
            None => (self.files.get(name)?.0.clone(), false),
        };
        let file = File::open(path).ok()?;
        let size = file.metadata().ok()?.len();
        let part = match fault {
            Some(Fault::NoRanges) => Ok(None),
            _ => asked.part(size),
        };
        let kind = if metadata { "text/plain" } else { "application/octet-stream" };
        let answer = Answer::file(file, size, kind, part);
        let answer = answer.with("Cache-Control", "max-age=365000000, immutable");
        Some(match fault {
            Some(Fault::NoRanges) => answer,
            _ => answer.with("Accept-Ranges", "bytes"),
        })
    }
}

fn with_suffix(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".metadata");
    name.into()
}
