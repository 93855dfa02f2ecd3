//! Whether a text is signed, as gpgv says; what is configured, as `apt-config dump` says.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use debian::apt::configuration::Configuration;
use debian::apt::signature::{Keyring, Signers, verify_cleartext};
use testbed::Chroot;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signatures")
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// Whether gpgv finds a good signature of a key that is valid, with the digests refused that apt
/// refuses.
fn gpgv_believes(keyring: &Path, file: &Path) -> bool {
    let mut gpgv = testbed::program("gpgv");
    gpgv.args(["--status-fd", "1", "--weak-digest", "SHA1", "--weak-digest", "RIPEMD160"]);
    gpgv.arg("--keyring").arg(keyring).args(["--output", "/dev/null"]).arg(file);
    let said = gpgv.output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    said.lines().any(|line| line.starts_with("[GNUPG:] GOODSIG"))
}

fn we_believe(keyring: &Path, file: &Path) -> bool {
    let mut keys = Keyring::default();
    keys.add(&std::fs::read(keyring).unwrap()).unwrap();
    verify_cleartext(&std::fs::read(file).unwrap(), &keys, Signers::All, now()).is_ok()
}

/// Where apt's own policy, or ours, is stricter than gpgv's: `(file, why)`.
const STRICTER: [(&str, &str); 7] = [
    ("unescaped", "a line with a dash in front has to be escaped (RFC 9580, section 7.2)"),
    ("weakrsa", "keys of 1024 bits are refused, as by apt since 2.8"),
    ("dsa", "DSA is refused, as by apt since 2.8"),
    ("future", "gpgv says of a time to come only that clocks may differ"),
    ("before", "text in front of what is signed is an error, as for apt"),
    ("after", "text behind what is signed is an error, as for apt"),
    ("twice", "there is one signed text, as for apt"),
];

#[test]
fn gpgv_believes_the_same() {
    let directory = fixtures();
    let of_kind = |ending: &str| {
        let files = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> =
            files.filter(|path| path.to_str().unwrap().ends_with(ending)).collect();
        files.sort();
        files
    };
    let mut believed = 0;
    for file in of_kind(".InRelease") {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        for keyring in of_kind(".gpg") {
            let keys = keyring.file_name().unwrap().to_str().unwrap();
            if keys == "keybox.gpg" || keys.contains("Release") {
                continue;
            }
            let (theirs, ours) = (gpgv_believes(&keyring, &file), we_believe(&keyring, &file));
            believed += usize::from(ours);
            let is_stricter = STRICTER.iter().any(|(stricter, _)| *stricter == name);
            assert!(theirs == ours || (is_stricter && !ours), "{name} {keys}: gpgv says {theirs}");
        }
    }
    assert!(believed > 10, "{believed}");
}

#[test]
fn debian_is_signed_by_debian() {
    let lists = testbed::base::debian_root().unwrap().join("var/lib/apt/lists");
    let mut found = Vec::new();
    for lists in [lists.as_path(), Path::new("/var/lib/apt/lists")] {
        let Ok(entries) = std::fs::read_dir(lists) else { continue };
        let paths = entries.map(|entry| entry.unwrap().path());
        found.extend(paths.filter(|path| path.to_str().unwrap().ends_with("_InRelease")));
    }
    let keys = std::fs::read("/usr/share/keyrings/debian-archive-keyring.gpg").unwrap();
    for path in found {
        let file = std::fs::read(&path).unwrap();
        let began = Instant::now();
        let mut keyring = Keyring::default();
        keyring.add_file("/debian-archive-keyring.gpg", &keys).unwrap();
        let signed = verify_cleartext(&file, &keyring, Signers::All, now()).unwrap();
        let took = began.elapsed();
        println!("{} in {took:?}", path.display());
        // What is believed is what gpgv takes out of the file.
        let mut gpgv = testbed::program("gpgv");
        gpgv.args(["--keyring", "/usr/share/keyrings/debian-archive-keyring.gpg", "--output", "-"]);
        let text = gpgv.arg(&path).output().unwrap().stdout;
        assert_eq!(signed.text.trim_ascii_end(), text.trim_ascii_end(), "{}", path.display());
        let text = String::from_utf8_lossy(&signed.text).into_owned();
        assert!(text.contains("\nSuite: ") && !text.contains("-----BEGIN"));
    }
}

/// Texts whose items begin with `Oracle`, so that they are told from apt's own.
const CONFIGURATIONS: &[&str] = &[
    "Oracle::A \"1\"; Oracle::a \"2\"; ORACLE::B yes;",
    "Oracle { A { B \"x\"; }; \"item\"; \"other\"; C::D \"y\" };",
    "Oracle:: \"one\"; Oracle:: \"two\"; Oracle::Named \"n\"; Oracle:: \"three\";",
    "Oracle \"block\" { A \"x\"; };\nOracle::Proxy http://cut/off;\n",
    "// Oracle::No \"x\";\n# Oracle::No \"x\";\n/* Oracle::No \"x\"; */ Oracle::Yes \"//kept # too\";",
    "Oracle::Split\n \"over\"\n \"lines\"\n;",
    "Oracle { A \"x\"; B \"y\"; }; #clear Oracle::A;\nOracle::C \"z\";",
    "Oracle { \"a\"; \"b\"; #clear; \"c\"; };",
    "Oracle::Percent a%20b; Oracle::Quote \"a%20b\"; Oracle::Half a\"b c\"d;",
    "Oracle { A \"x\"; } Oracle::B \"y\";",
    "Oracle::A \"b\" \"c\" d;",
    "Oracle::A \"b",
    "Oracle::A \"b\"",
    "{ Oracle::A \"b\"; };",
    "Oracle { #include \"/x\"; };",
    "Oracle::A b c;",
    "Oracle::Empty \"\"; Oracle::One;;",
    "Oracle::Brackets [a b]; Oracle::Last \"}{;\";",
    "}; Oracle::After \"stray\";",
];

#[test]
fn apt_config_shows_the_same() {
    let chroot = Chroot::copy_of(&testbed::base::debian_root().unwrap()).unwrap();
    let mut differences = Vec::new();
    for text in CONFIGURATIONS {
        std::fs::write(chroot.root().join("etc/apt/oracle.conf"), text).unwrap();
        let words = ["env", "APT_CONFIG=/etc/apt/oracle.conf", "apt-config", "dump"];
        let real = chroot.command(words).output().unwrap();
        let dump = String::from_utf8_lossy(&real.stdout).into_owned();
        let theirs = match real.status.success() {
            true => kept(&dump),
            false => first_error(&String::from_utf8_lossy(&real.stderr)),
        };
        let mut configuration = Configuration::default();
        let ours = match configuration.add_text("/etc/apt/oracle.conf", text.as_bytes()) {
            Ok(()) => kept(&configuration.dump()),
            Err(problem) => problem.to_string(),
        };
        if theirs != ours {
            differences.push(format!("{text}\ntheirs:\n{theirs}\nours:\n{ours}\n"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn kept(dump: &str) -> String {
    let own = dump.lines().filter(|line| line.to_lowercase().starts_with("oracle"));
    own.collect::<Vec<_>>().join("\n")
}

fn first_error(errors: &str) -> String {
    let line = errors.lines().find_map(|line| line.strip_prefix("E: "));
    line.unwrap_or_default().to_owned()
}
