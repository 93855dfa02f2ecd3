//! Names and passwords for archives: `auth.conf`, `auth.conf.d` (apt_auth.conf(5)), and addresses
//! that hold them.

use bstr::ByteSlice;
use oci::ImagePath;
use shell::Process;

use super::configuration::Configuration;
use super::problem::{Failure, Problem};
use super::reading::{parts, read};
use crate::outside::Login;

/// All logins of an image, in the order in which they stand.
#[derive(Debug, Clone, Default)]
pub struct Logins {
    machines: Vec<Machine>,
}

#[derive(Debug, Clone, Default)]
struct Machine {
    /// `[SCHEME://]HOST[:PORT][/PATH]`
    name: String,
    login: Option<Login>,
}

impl Logins {
    /// Those of the image's files.
    ///
    /// # Errors
    /// [`Problem::Login`]
    pub fn load(
        process: &mut Process<'_, '_>,
        configuration: &Configuration,
    ) -> Result<Self, Failure> {
        let mut files: Vec<ImagePath> = configuration.path("Dir::Etc::netrc").into_iter().collect();
        if let Some(directory) = configuration.path("Dir::Etc::netrcparts") {
            files.extend(parts(process, &directory, &["", "conf"])?);
        }
        let texts = read(process, &files)?;
        let mut logins = Logins::default();
        for (path, text) in files.iter().zip(texts) {
            let Some(text) = text else { continue };
            process.machine.budget.hold(text.len())?;
            logins.add_text(&format!("/{path}"), &text)?;
        }
        Ok(logins)
    }

    /// Adds what a file has (netrc's form).
    pub(super) fn add_text(&mut self, file: &str, text: &[u8]) -> Result<(), Problem> {
        let text = text.to_str_lossy();
        for (at, line) in text.lines().enumerate() {
            let mut words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
            while let Some(word) = words.next() {
                let mut value = || {
                    let what = "a word is missing at its end";
                    let (file, line) = (file.to_owned(), at + 1);
                    words.next().ok_or(Problem::Login { file, line, what })
                };
                match word {
                    "machine" => {
                        let name = value()?.to_owned();
                        self.machines.push(Machine { name, login: None });
                    }
                    "login" | "password" => {
                        let value = value()?.to_owned();
                        self.set(word, value).map_err(|what| {
                            let (file, line) = (file.to_owned(), at + 1);
                            Problem::Login { file, line, what }
                        })?;
                    }
                    "account" | "port" => drop(value()?),
                    _ => {
                        let what = "a word is not understood";
                        let (file, line) = (file.to_owned(), at + 1);
                        return Err(Problem::Login { file, line, what });
                    }
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, word: &str, value: String) -> Result<(), &'static str> {
        let machine = self.machines.last_mut().ok_or("it does not say which machine")?;
        let empty = || Login { user: String::new(), password: String::new() };
        let login = machine.login.get_or_insert_with(empty);
        match word {
            "login" => login.user = value,
            _ => login.password = value,
        }
        Ok(())
    }

    /// The address without a name and a password, and what is to be sent there: what the address
    /// itself has, or else the first machine that fits. A name in the address and no password is
    /// for machines of that name alone.
    pub fn of(&self, url: &str) -> (String, Option<Login>) {
        let Some((scheme, rest)) = url.split_once("://") else { return (url.to_owned(), None) };
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (userinfo, host) = match host.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo), host),
            None => (None, host),
        };
        let plain = format!("{scheme}://{host}{path}");
        if let Some((user, password)) = userinfo.and_then(|userinfo| userinfo.split_once(':')) {
            let login = Login { user: decoded(user), password: decoded(password) };
            return (plain, Some(login));
        }
        let user = userinfo.map(decoded);
        let fits = |machine: &&Machine| {
            let has_user = |login: &Login| user.as_ref().is_none_or(|user| *user == login.user);
            machine.login.as_ref().is_some_and(has_user) && machine.fits(scheme, host, path)
        };
        let found = self.machines.iter().find(fits).and_then(|machine| machine.login.clone());
        (plain, found)
    }
}

impl Machine {
    /// Whether an address is below the machine's. Without a scheme it is for encrypted ones
    /// (apt_auth.conf(5): plain `http` only if the entry says so).
    fn fits(&self, scheme: &str, host: &str, path: &str) -> bool {
        let (own_scheme, rest) = match self.name.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, self.name.as_str()),
        };
        let has_scheme = own_scheme.map_or(scheme == "https", |own| own == scheme);
        let (own_host, own_path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host_alone = host.rsplit_once(':').map_or(host, |(host, _)| host);
        let is_host = match own_host.contains(':') {
            true => own_host.eq_ignore_ascii_case(host),
            false => own_host.eq_ignore_ascii_case(host_alone) && !host.contains(':'),
        };
        has_scheme && is_host && path.starts_with(own_path)
    }
}

/// Without `%XX` (RFC 3986, section 2.1).
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| *first == b'%');
        match digits.and_then(|digits| hex::decode(digits).ok()).as_deref() {
            Some([byte]) => {
                bytes.push(*byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_for_their_machines() {
        let mut logins = Logins::default();
        let text = b"machine a.example login one password SECRET-1\n# comment\n\
            machine http://b.example/deb login two\n password SECRET-2 # comment\n\
            machine c.example:8080/x/ login three password SECRET-3\n\
            machine d.example login four password SECRET-4 machine d.example login five password SECRET-5\n";
        logins.add_text("/f", text).unwrap();
        let cases = [
            ("https://a.example/debian", "https://a.example/debian", "one:SECRET-1"),
            ("https://A.example/debian", "https://A.example/debian", "one:SECRET-1"),
            ("http://a.example/debian", "http://a.example/debian", ""),
            ("https://a.example:8443/debian", "https://a.example:8443/debian", ""),
            ("http://b.example/debian", "http://b.example/debian", "two:SECRET-2"),
            ("http://b.example/other", "http://b.example/other", ""),
            ("https://c.example:8080/x/y", "https://c.example:8080/x/y", "three:SECRET-3"),
            ("https://c.example/x/y", "https://c.example/x/y", ""),
            ("https://five@d.example/", "https://d.example/", "five:SECRET-5"),
            ("https://d.example/", "https://d.example/", "four:SECRET-4"),
            ("http://u:SECRET%40@a.example/", "http://a.example/", "u:SECRET@"),
        ];
        for (url, plain, expected) in cases {
            let (found, login) = logins.of(url);
            let login = login.map(|login| format!("{}:{}", login.user, login.password));
            assert_eq!((found.as_str(), login.unwrap_or_default().as_str()), (plain, expected));
        }
        assert!(!format!("{logins:?}").contains("SECRET"));
    }

    #[test]
    fn what_is_no_login_is_told_without_its_words() {
        let cases: [(&[u8], &str); 3] = [
            (b"login a\n", "Parsing error in /f, line 1: it does not say which machine"),
            (b"\nmachine\n", "Parsing error in /f, line 2: a word is missing at its end"),
            (b"machine a SECRET\n", "Parsing error in /f, line 1: a word is not understood"),
        ];
        for (text, expected) in cases {
            let error = Logins::default().add_text("/f", text).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
