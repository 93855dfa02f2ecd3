//! What a token is asked for: distribution's scopes, `repository:library/python:pull,push`
//! (distribution `docs/spec/auth/scope.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use oci::RepositoryName;

/// Actions on resources. Ordered, so that equal wishes are equal however they came about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct ScopeSet(BTreeMap<String, BTreeSet<String>>);

impl ScopeSet {
    /// Nothing but to prove who one is.
    pub(crate) fn identity() -> Self {
        ScopeSet::default()
    }

    /// To read a repository.
    pub(crate) fn pull(repository: &RepositoryName) -> Self {
        Self::of(repository, &["pull"])
    }

    /// To write a repository, which wants reading too: an upload asks what is there.
    pub(crate) fn push(repository: &RepositoryName) -> Self {
        Self::of(repository, &["pull", "push"])
    }

    /// To delete from a repository.
    pub(crate) fn delete(repository: &RepositoryName) -> Self {
        Self::of(repository, &["delete", "pull"])
    }

    fn of(repository: &RepositoryName, actions: &[&str]) -> Self {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        ScopeSet(BTreeMap::from([(format!("repository:{}", repository.path()), actions)]))
    }

    /// Reads a challenge's `scope`: scopes apart by blanks, each `type:name:action,action`, where
    /// the name may hold colons. What is not of this form is passed over.
    pub(crate) fn parse(text: &str) -> Self {
        let mut set = ScopeSet::default();
        for scope in text.split_ascii_whitespace() {
            let Some((resource, actions)) = scope.rsplit_once(':') else { continue };
            if !resource.contains(':') {
                continue;
            }
            let entry = set.0.entry(resource.to_owned()).or_default();
            let actions = actions.split(',').filter(|action| !action.is_empty());
            entry.extend(actions.map(str::to_owned));
        }
        set
    }

    /// Both together.
    pub(crate) fn and(mut self, other: &ScopeSet) -> Self {
        for (resource, actions) in &other.0 {
            self.0.entry(resource.clone()).or_default().extend(actions.iter().cloned());
        }
        self
    }

    /// The same of repositories by other names.
    pub(crate) fn renamed(&self, rename: impl Fn(&str) -> String) -> Self {
        let renamed = |(resource, actions): (&String, &BTreeSet<String>)| {
            let resource = match resource.strip_prefix("repository:") {
                Some(path) => format!("repository:{}", rename(path)),
                None => resource.clone(),
            };
            (resource, actions.clone())
        };
        ScopeSet(self.0.iter().map(renamed).collect())
    }

    /// Whether everything in `other` is in this.
    pub(crate) fn covers(&self, other: &ScopeSet) -> bool {
        let missing = |have: &BTreeSet<String>, wanted: &BTreeSet<String>| {
            !have.contains("*") && !have.is_superset(wanted)
        };
        other.0.iter().all(|(resource, wanted)| {
            self.0.get(resource).is_some_and(|have| !missing(have, wanted)) || wanted.is_empty()
        })
    }

    /// The scopes as a token service reads them, one text each; those to write come first, because
    /// some services read only the first.
    pub(crate) fn texts(&self) -> impl Iterator<Item = String> + '_ {
        let writes = |actions: &BTreeSet<String>| actions.iter().any(|action| action != "pull");
        let (first, then): (Vec<_>, Vec<_>) =
            self.0.iter().partition(|(_, actions)| writes(actions));
        first.into_iter().chain(then).map(|(resource, actions)| {
            let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
            // `pull,push` is what every other client writes, and some services compare texts.
            format!("{resource}:{}", actions.join(","))
        })
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts().collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_repositories_of_a_mount() {
        let target = "localhost/b/target".parse().unwrap();
        let source = "localhost/a".parse().unwrap();
        let scopes = ScopeSet::push(&target).and(&ScopeSet::pull(&source));
        insta::assert_snapshot!(scopes, @"repository:b/target:pull,push repository:a:pull");
        assert!(scopes.covers(&ScopeSet::pull(&target)));
        assert!(!scopes.covers(&ScopeSet::push(&source)));
        assert!(ScopeSet::parse("repository:a:*").covers(&ScopeSet::delete(&source)));
        assert!(ScopeSet::identity().covers(&ScopeSet::identity()));
    }

    #[test]
    fn what_challenges_say() {
        let show = |text: &str| ScopeSet::parse(text).to_string();
        insta::assert_snapshot!(show("repository:a/b:push,pull  registry:catalog:*"), @"registry:catalog:* repository:a/b:pull,push");
        insta::assert_snapshot!(show("repository:host:5000/a:pull"), @"repository:host:5000/a:pull");
        insta::assert_snapshot!(show("openid offline"), @"");
    }
}
