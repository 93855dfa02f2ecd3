//! `--cache-from` and `--cache-to`: the repositories that keep what came of builds (Docker's
//! reference, `docker buildx build --cache-from`, of which the type `registry` is taken).

use oci::{Reference, RepositoryName};

use super::UsageError;
use super::output::Output;

/// Where a build looks for what came of earlier ones, and where it leaves what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CacheRepositories {
    /// Asked, in this order; `None` if nobody is to be.
    from: Option<Vec<RepositoryName>>,
    /// Told, if it is said.
    to: Option<Vec<RepositoryName>>,
    /// Where the image is pushed to.
    targets: Vec<RepositoryName>,
}

impl CacheRepositories {
    /// Who is asked, and who is told: what the command line says comes first, and then what the
    /// recipe says. Where the image goes is asked in any case.
    pub(crate) fn with(
        &self,
        recipe: &recipe::CacheNames,
    ) -> (Vec<RepositoryName>, Vec<RepositoryName>) {
        let from = self.from.as_ref().map(|from| {
            let all = from.iter().chain(&recipe.from).chain(&self.targets);
            each_once(all.cloned().collect())
        });
        let told = self.to.as_ref().or(recipe.to.as_ref().filter(|_| !self.targets.is_empty()));
        let to = told.unwrap_or(&self.targets).clone();
        (from.unwrap_or_default(), each_once(to))
    }
}

/// How far a repository is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheVerification {
    /// That it has the layers is seen.
    Presence,
    /// Their bytes are.
    Whole,
}

/// A value of one of the flags.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Repository(RepositoryName),
    /// `none`
    Nothing,
    /// Another kind of BuildKit's.
    Other,
}

/// Reads the values of both flags. Without `--cache-to`, what came of a build goes where its images
/// go; that is asked, too, whatever else is. Flags that name what is not a registry are returned.
pub(super) fn repositories(
    from: &[String],
    to: &[String],
    outputs: &[Output],
) -> Result<(CacheRepositories, Vec<&'static str>), UsageError> {
    let mut without_effect = Vec::new();
    let mut read = |flag: &'static str, key: &'static str, texts: &[String]| {
        let mut values = Vec::new();
        for text in texts {
            match value(flag, text)? {
                Value::Other => without_effect.push(key),
                value => values.push(value),
            }
        }
        Ok::<_, UsageError>(values)
    };
    let from = read("--cache-from", "cache-from", from)?;
    let to = read("--cache-to", "cache-to", to)?;
    let asks_nobody = from.contains(&Value::Nothing);
    let names = |values: Vec<Value>| values.into_iter().filter_map(Value::repository).collect();
    let repositories = CacheRepositories {
        from: (!asks_nobody).then(|| names(from)),
        to: (!to.is_empty()).then(|| names(to)),
        targets: targets(outputs),
    };
    Ok((repositories, without_effect))
}

/// The repositories that images are pushed to.
fn targets(outputs: &[Output]) -> Vec<RepositoryName> {
    let names = outputs.iter().filter_map(|output| match output {
        Output::Registry(names) => Some(names),
        _ => None,
    });
    names.flatten().map(|name| name.repository().clone()).collect()
}

fn each_once(names: Vec<RepositoryName>) -> Vec<RepositoryName> {
    let mut once = Vec::new();
    for name in names {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once
}

impl Value {
    fn repository(self) -> Option<RepositoryName> {
        match self {
            Value::Repository(name) => Some(name),
            Value::Nothing | Value::Other => None,
        }
    }
}

/// Reads `REPOSITORY`, `type=registry,ref=REPOSITORY` or `none`. A tag says nothing here: entries
/// have tags of their own.
fn value(flag: &'static str, text: &str) -> Result<Value, UsageError> {
    let repository = |text: &str| {
        let reference: Reference = text.parse().map_err(|_| {
            UsageError::form(flag, text, "it is a repository, as in `registry.example/team/app`")
        })?;
        Ok(Value::Repository(reference.repository().clone()))
    };
    if text == "none" {
        return Ok(Value::Nothing);
    }
    if !text.contains('=') {
        return repository(text);
    }
    let fields = || text.split(',').filter_map(|field| field.split_once('='));
    let field = |wanted: &str| fields().find(|(key, _)| key.trim() == wanted).map(|(_, it)| it);
    match (field("type"), field("ref")) {
        (Some("registry"), Some(name)) => repository(name),
        (Some("registry"), None) => Err(UsageError::form(flag, text, "it has no `ref=REPOSITORY`")),
        _ => Ok(Value::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(from: &[&str], to: &[&str], pushed: &[&str]) -> String {
        let texts =
            |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let names = pushed.iter().map(|name| name.parse().unwrap()).collect();
        match repositories(&texts(from), &texts(to), &[Output::Registry(names)]) {
            Err(error) => error.to_string(),
            Ok((repositories, other)) => {
                let (from, to) = repositories.with(&recipe::CacheNames::default());
                let shown = |names: &[RepositoryName]| {
                    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
                };
                format!("{} > {} {other:?}", shown(&from), shown(&to))
            }
        }
    }

    #[test]
    fn where_images_go_is_asked_and_told() {
        assert_eq!(
            read(&[], &[], &["r.example/a:1", "r.example/a:2"]),
            "r.example/a > r.example/a []"
        );
        assert_eq!(
            read(&["type=registry,ref=r.example/c:x,mode=max"], &[], &["r.example/a:1"]),
            "r.example/c r.example/a > r.example/a []"
        );
        assert_eq!(
            read(&["r.example/c"], &["none"], &["r.example/a:1"]),
            "r.example/c r.example/a >  []"
        );
        assert_eq!(read(&["none"], &["r.example/c"], &["r.example/a:1"]), " > r.example/c []");
        assert_eq!(
            read(&["type=gha"], &["type=inline"], &["r.example/a:1"]),
            r#"r.example/a > r.example/a ["cache-from", "cache-to"]"#
        );
        assert_eq!(
            read(&["type=registry"], &[], &[]),
            "`type=registry` is not a value of `--cache-from`"
        );
    }

    #[test]
    fn a_recipe_names_others() {
        let name = |text: &str| text.parse::<Reference>().unwrap().repository().clone();
        let outputs = [Output::Registry(vec!["r.example/a:1".parse().unwrap()])];
        let recipe = recipe::CacheNames {
            from: vec![name("r.example/main")],
            to: Some(vec![name("r.example/cache")]),
        };
        let read = |to: &[String], outputs: &[Output]| {
            repositories(&[], to, outputs).unwrap().0.with(&recipe)
        };
        let (from, to) = read(&[], &outputs);
        assert_eq!(from, [name("r.example/main"), name("r.example/a")]);
        assert_eq!(to, [name("r.example/cache")]);
        assert_eq!(read(&["none".to_owned()], &outputs).1, []);
        // What is not pushed tells nobody, unless somebody says so at the time.
        assert_eq!(read(&[], &[]), (vec![name("r.example/main")], Vec::new()));
    }
}
