//! Programs of packages whose outcome no image can hold: refused by name, with what they make.
//!
//! They are scripts that could be followed for a while, and the command at which that ends would
//! not tell why.

use shell::process::Run;
use shell::{Process, Reason};

/// A program, and what it makes.
const REFUSALS: &[(&str, &str)] = &[
    ("make-ssl-cert", "makes a random private key, which all containers of the image would share"),
    (
        "pg_createcluster",
        "makes a database by running the server, with a random number for its name",
    ),
];

/// Refuses what is in the table and was packaged; `None` for everything else.
pub(crate) fn refuse(process: &Process<'_, '_>) -> Option<Run> {
    let name = process.name();
    let (_, why) = REFUSALS.iter().find(|(known, _)| *name == **known)?;
    match super::skipped::is_packaged(process) {
        Ok(true) => Some(Err(process.refuse(Reason::Use((*why).to_owned())))),
        Ok(false) => None,
        Err(stop) => Some(Err(stop)),
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;

    #[test]
    fn what_makes_keys_is_refused_by_its_name_if_a_package_brings_it() {
        let mut image = Image::new();
        let script = "#!/bin/sh\nhostname\n";
        image.file("usr/sbin/make-ssl-cert", script, 0o755);
        let said = image.sh("make-ssl-cert generate-default-snakeoil");
        assert_eq!(
            said.trim(),
            "refused: `make-ssl-cert` makes a random private key, which all containers of the \
             image would share"
        );
        let own = "printf '#!/bin/sh\\necho mine\\n' > /usr/local/bin/pg_createcluster; \
             chmod 755 /usr/local/bin/pg_createcluster; pg_createcluster | cat";
        assert!(image.sh(own).starts_with("mine\n"));
    }
}
