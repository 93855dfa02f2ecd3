//! The name of a question to a resolver: SHA-256 of its canonical form.
//!
//! The form says everything that the answer depends on, every variable part with its length in
//! front, so that no two questions share one. What the answer does not depend on is not in it: the
//! lines where requirements are written, where the base's distributions have their files. Neither
//! are credentials, so that a new token is no new question.

use oci::{Digest, Digester};

use crate::request::without_credentials;
use crate::{
    Dependencies, Distribution, GivenFile, IndexUrl, Indexes, Libc, Lock, LockKind, Prereleases,
    Requirement, ResolutionRequest, SourceBuilds, Target, Upgrade,
};

/// Raised whenever the same form would stand for another question.
const EPOCH: u64 = 1;

struct Form(Digester);

pub(crate) fn of(request: &ResolutionRequest) -> Digest {
    let ResolutionRequest {
        target,
        requirements,
        constraints,
        overrides,
        lock,
        indexes,
        given,
        exclude_newer,
        prereleases,
        no_binary,
        only_binary,
        installed,
        upgrade,
        dependencies,
        require_hashes,
        builds,
    } = request;
    let mut form = Form(Digester::sha256());
    form.number(EPOCH);
    form.target(target);
    form.list(requirements, Form::requirement);
    form.list(constraints, Form::requirement);
    form.list(overrides, Form::requirement);
    form.list(lock.as_slice(), Form::lock);
    form.indexes(indexes);
    form.list(given, Form::given);
    form.list(exclude_newer.as_slice(), |form, time| form.text(time));
    form.list(no_binary, |form, name| form.text(name));
    form.list(only_binary, |form, name| form.text(name));
    form.list(installed, Form::installed);
    form.number(match prereleases {
        Prereleases::IfNecessaryOrExplicit => 0,
        Prereleases::Allow => 1,
        Prereleases::Disallow => 2,
    });
    form.number(match upgrade {
        Upgrade::Nothing => 0,
        Upgrade::Requested => 1,
        Upgrade::Everything => 2,
    });
    form.number(match dependencies {
        Dependencies::Follow => 0,
        Dependencies::Ignore => 1,
    });
    form.number(u64::from(*require_hashes));
    form.number(match builds {
        SourceBuilds::Refuse => 0,
        SourceBuilds::Host => 1,
    });
    form.0.finish()
}

impl Form {
    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    fn text(&mut self, text: impl AsRef<str>) {
        self.number(text.as_ref().len() as u64);
        self.0.update(text.as_ref().as_bytes());
    }

    fn list<T>(&mut self, list: &[T], each: impl Fn(&mut Form, &T)) {
        self.number(list.len() as u64);
        list.iter().for_each(|item| each(self, item));
    }

    fn target(&mut self, target: &Target) {
        for (name, value) in target.markers().named() {
            self.text(name);
            self.text(value);
        }
        let Target { interpreter, libc, platform } = target;
        self.number(u64::from(interpreter.free_threaded));
        let (library, major, minor) = match libc {
            Libc::Glibc { major, minor } => (0, major, minor),
            Libc::Musl { major, minor } => (1, major, minor),
        };
        self.number(library);
        self.number(u64::from(*major));
        self.number(u64::from(*minor));
        self.text(platform.to_string());
    }

    fn requirement(&mut self, requirement: &Requirement) {
        let Requirement { text, hashes, origin: _ } = requirement;
        self.text(without_credentials(text));
        self.list(hashes, |form, hash| form.text(hash));
    }

    fn lock(&mut self, lock: &Lock) {
        let Lock { kind, name: _, text, project, extras, groups } = lock;
        self.number(match kind {
            LockKind::Uv => 0,
            LockKind::Pylock => 1,
        });
        self.text(without_credentials(text));
        self.list(project.as_slice(), |form, name| form.text(name));
        self.list(extras, |form, name| form.text(name));
        self.list(groups, |form, name| form.text(name));
    }

    fn indexes(&mut self, indexes: &Indexes) {
        let Indexes { index_url, extra_index_urls, no_index, find_links } = indexes;
        let url = |form: &mut Form, url: &IndexUrl| form.text(url.redacted());
        self.list(index_url.as_slice(), url);
        self.list(extra_index_urls, url);
        self.number(u64::from(*no_index));
        self.list(find_links, url);
    }

    fn given(&mut self, file: &GivenFile) {
        let GivenFile { path, content, is_link } = file;
        self.text(path);
        self.0.update(content.digest.as_bytes());
        self.number(content.size);
        self.number(u64::from(*is_link));
    }

    fn installed(&mut self, distribution: &Distribution) {
        let Distribution { name, version, text, metadata: _, files: _ } = distribution;
        self.text(name);
        self.text(version);
        self.text(text);
    }
}

#[cfg(test)]
mod tests {
    use layer::Content;
    use oci::{ImagePath, Platform};

    use super::*;
    use crate::{Interpreter, Layout, Origin, Version};

    fn target() -> Target {
        let site = ImagePath::lexical("usr/lib/python3.12/site-packages");
        let layout = Layout {
            purelib: site.clone(),
            platlib: site.clone(),
            scripts: ImagePath::lexical("usr/bin"),
            headers: ImagePath::lexical("usr/include"),
            data: ImagePath::lexical("usr"),
        };
        let interpreter = Interpreter {
            executable: "/usr/bin/python3".to_owned(),
            version: Version { major: 3, minor: 12, patch: Some(4), suffix: String::new() },
            free_threaded: false,
            layout,
            search_path: vec![site],
            foreign: Vec::new(),
            externally_managed: false,
        };
        let libc = Libc::Glibc { major: 2, minor: 36 };
        Target { interpreter, libc, platform: Platform::linux("amd64") }
    }

    fn requirement(text: &str) -> Requirement {
        let origin = Origin { file: "requirements.txt".to_owned(), line: 1 };
        Requirement { text: text.to_owned(), hashes: Vec::new(), origin }
    }

    fn request() -> ResolutionRequest {
        let path = ImagePath::lexical("usr/lib/python3.12/site-packages/pip-24.0.dist-info");
        ResolutionRequest {
            target: target(),
            requirements: vec![requirement("a"), requirement("b @ https://me:SECRET@h/b.whl")],
            constraints: Vec::new(),
            overrides: Vec::new(),
            lock: None,
            indexes: Indexes {
                index_url: Some(IndexUrl::new("https://me:SECRET@h/simple")),
                ..Indexes::default()
            },
            given: Vec::new(),
            exclude_newer: None,
            prereleases: Prereleases::default(),
            no_binary: Vec::new(),
            only_binary: Vec::new(),
            installed: vec![Distribution {
                name: "pip".to_owned(),
                version: "24.0".to_owned(),
                metadata: path,
                text: "Name: pip\n".to_owned(),
                files: None,
            }],
            upgrade: Upgrade::Nothing,
            dependencies: Dependencies::Follow,
            require_hashes: false,
            builds: SourceBuilds::Refuse,
        }
    }

    type Change = fn(&mut ResolutionRequest);

    #[test]
    fn what_the_answer_does_not_depend_on_is_not_in_it() {
        let changes: [Change; 5] = [
            |request| request.requirements[0].origin.line = 7,
            |request| request.requirements[1] = requirement("b @ https://you:SECRET2@h/b.whl"),
            |request| request.indexes.index_url = Some(IndexUrl::new("https://h/simple")),
            |request| request.installed[0].files = Some(Vec::new()),
            |request| request.target.interpreter.executable.push_str(".12"),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut other = request();
            change(&mut other);
            assert_eq!(other.fingerprint(), request().fingerprint(), "change {number}");
        }
    }

    #[test]
    fn what_it_depends_on_is() {
        let changes: [Change; 16] = [
            |request| drop(request.requirements.pop()),
            |request| request.constraints = vec![requirement("a<2")],
            |request| request.overrides = vec![requirement("a<2")],
            |request| request.requirements[0].hashes.push("sha256:0".to_owned()),
            |request| request.requirements[1] = requirement("b @ https://h/other.whl"),
            |request| request.indexes.extra_index_urls.push(IndexUrl::new("https://h/2")),
            |request| request.indexes.no_index = true,
            |request| request.exclude_newer = Some("2026-01-01".to_owned()),
            |request| request.no_binary.push("a".to_owned()),
            |request| request.only_binary.push("a".to_owned()),
            |request| request.installed[0].text.push_str("Requires-Dist: a\n"),
            |request| request.target.interpreter.version.patch = Some(5),
            |request| request.target.interpreter.free_threaded = true,
            |request| request.target.libc = Libc::Musl { major: 2, minor: 36 },
            |request| request.upgrade = Upgrade::Requested,
            |request| {
                let content = Content::of(b"wheel");
                let path = "a-1-py3-none-any.whl".to_owned();
                request.given.push(GivenFile { path, content, is_link: false });
            },
        ];
        let mut seen = vec![request().fingerprint()];
        for (number, change) in changes.iter().enumerate() {
            let mut other = request();
            change(&mut other);
            let fingerprint = other.fingerprint();
            assert!(!seen.contains(&fingerprint), "change {number}");
            seen.push(fingerprint);
        }
    }
}
