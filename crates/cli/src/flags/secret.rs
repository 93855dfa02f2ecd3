//! `--secret`: where a secret comes from that a `RUN` may see (Docker's reference, `docker buildx
//! build --secret`).

use std::path::PathBuf;

use super::UsageError;
use crate::environment::Environment;

const FLAG: &str = "--secret";

/// A secret by name, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretSource {
    /// What a `RUN --mount=type=secret,id=…` calls it.
    pub(crate) id: String,
    /// Where it is.
    pub(crate) place: SecretPlace,
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretPlace {
    /// In a file.
    File(PathBuf),
    /// In an environment variable.
    Variable(String),
}

/// Reads `id=NAME[,src=FILE][,env=VARIABLE]`.
pub(super) fn secret(text: &str, environment: &Environment) -> Result<SecretSource, UsageError> {
    let (mut id, mut file, mut variable, mut kind) = (None, None, None, None);
    for field in text.split(',') {
        let place = match field.split_once('=').map(|(key, value)| (key.trim(), value)) {
            Some(("id", value)) => (&mut id, value),
            Some(("src" | "source", value)) => (&mut file, value),
            Some(("env", value)) => (&mut variable, value),
            Some(("type", value @ ("file" | "env"))) => (&mut kind, value),
            _ => return Err(refused(text)),
        };
        *place.0 = Some(place.1.to_owned());
    }
    let Some(id) = id.filter(|id| !id.is_empty()) else { return Err(refused(text)) };
    if kind.as_deref() == Some("env") && variable.is_none() {
        variable = file.take();
    }
    let place = match (variable, file) {
        (Some(_), Some(_)) => return Err(refused(text)),
        (Some(variable), None) => SecretPlace::Variable(variable),
        (None, Some(file)) => SecretPlace::File(PathBuf::from(file)),
        // As BuildKit has it: the variable of that name if there is one, else the file.
        (None, None) if environment.text(&id).is_some() => SecretPlace::Variable(id.clone()),
        (None, None) => SecretPlace::File(PathBuf::from(&id)),
    };
    Ok(SecretSource { id, place })
}

fn refused(text: &str) -> UsageError {
    UsageError::form(FLAG, text, "it is id=NAME with src=FILE or env=VARIABLE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_in_files_or_variables() {
        let environment = Environment::of(&[("TOKEN", "a SECRET")]);
        let read = |text: &str| match secret(text, &environment) {
            Ok(SecretSource { id, place }) => format!("{id}: {place:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(read("id=a,src=b/c"), r#"a: File("b/c")"#);
        assert_eq!(read("id=a,env=B"), r#"a: Variable("B")"#);
        assert_eq!(read("type=env,id=a,src=B"), r#"a: Variable("B")"#);
        assert_eq!(read("id=TOKEN"), r#"TOKEN: Variable("TOKEN")"#);
        assert_eq!(read("id=other"), r#"other: File("other")"#);
        assert_eq!(read("src=b"), "`src=b` is not a value of `--secret`");
        assert_eq!(read("id=a,to=b"), "`id=a,to=b` is not a value of `--secret`");
    }
}
