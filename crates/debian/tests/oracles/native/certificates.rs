//! Certificates, against OpenSSL, Debian's scripts and Java.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use oci::ImagePath;
use shell::files::{Files, Kind};
use shell::{Channel, Data, Outcome};
use testbed::{Chroot, Result, base, output, program, run};

use super::{evaluated, packages};

/// What is in a directory: links by their targets, files by their bytes.
type Listing = BTreeMap<String, Vec<u8>>;

fn listing(directory: &Path) -> Listing {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let shown = entries.filter(|path| path.is_symlink() || path.is_file()).map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match fs::read_link(&path) {
            Ok(target) => (name, [b"-> ", target.to_str().unwrap().as_bytes()].concat()),
            Err(_) => (name, fs::read(&path).unwrap()),
        }
    });
    shown.collect()
}

fn our_listing(root: &Path, files: &Files, directory: &str) -> Listing {
    let entries = files.read_dir(&ImagePath::lexical(directory)).unwrap();
    let shown = entries.into_iter().filter_map(|(name, stat)| {
        let host = root.join(directory).join(name.to_string());
        let bytes = match stat.kind {
            Kind::Symlink(target) => [b"-> ", target.as_slice()].concat(),
            Kind::File(Data::Inline(bytes)) => bytes.to_vec(),
            Kind::File(Data::Stored(_)) => fs::read(host).unwrap(),
            _ => return None,
        };
        Some((name.to_string(), bytes))
    });
    shown.collect()
}

/// Names of what differs.
fn differences(ours: &Listing, real: &Listing) -> Vec<String> {
    let names = ours.keys().chain(real.keys().filter(|name| !ours.contains_key(*name)));
    names.filter(|name| ours.get(*name) != real.get(*name)).cloned().collect()
}

fn said(outcome: &Outcome) -> (u8, String, Vec<String>) {
    let text = |channel| String::from_utf8(outcome.transcript.of(channel)).unwrap();
    let mut out: Vec<String> = text(Channel::Output).lines().map(str::to_owned).collect();
    out.sort();
    (outcome.status, text(Channel::Errors), out)
}

/// A directory with everything that `openssl rehash` looks at.
#[test]
fn links_to_certificates_are_the_same() -> Result {
    let tree = tempfile::Builder::new().prefix("plywood-certificates-").tempdir().unwrap();
    let root = tree.path();
    let base = base::debian_root()?;
    fs::create_dir_all(root.join("usr/bin")).unwrap();
    symlink("usr/bin", root.join("bin")).unwrap();
    fs::copy(base.join("usr/bin/openssl"), root.join("usr/bin/openssl")).unwrap();
    let certs = root.join("certs");
    fs::create_dir(&certs).unwrap();
    let mozilla = base.join("usr/share/ca-certificates/mozilla");
    let mut names: Vec<_> = fs::read_dir(&mozilla).unwrap().map(|entry| entry.unwrap()).collect();
    names.sort_by_key(|entry| entry.file_name());
    let mut all = Vec::new();
    for entry in &names {
        let bytes = fs::read(entry.path()).unwrap();
        fs::write(certs.join(entry.file_name()), &bytes).unwrap();
        all.extend(bytes);
    }
    fs::write(certs.join("all.pem"), &all).unwrap();
    let first = fs::read(names[0].path()).unwrap();
    fs::write(certs.join("copy.PEM"), &first).unwrap();
    fs::write(certs.join("upper.Cer"), fs::read(names[1].path()).unwrap()).unwrap();
    fs::write(certs.join("ending.txt"), &first).unwrap();
    fs::write(certs.join("none.pem"), "nothing\n").unwrap();
    fs::write(certs.join("empty.crl"), "").unwrap();
    fs::write(certs.join("cut.pem"), &first[..first.len() / 2]).unwrap();
    for (number, subject) in
        ["/C=DE/O= A  b /CN=Ä", "/C=DE/O=a B/CN=Ä", "/CN=one/O=x+OU=y+L=z"].into_iter().enumerate()
    {
        let mut request = program("openssl");
        request.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        request.args(["-nodes", "-utf8", "-days", "99", "-subj", subject, "-multivalue-rdn"]);
        request.arg("-keyout").arg(root.join("key")).arg("-out");
        run(request.arg(certs.join(format!("made{number}.crt"))))?;
    }
    let key = fs::read(root.join("key")).unwrap();
    let made = fs::read(certs.join("made2.crt")).unwrap();
    fs::write(certs.join("with-key.pem"), [made, key.clone()].concat()).unwrap();
    fs::write(certs.join("key.pem"), key).unwrap();
    for (target, name) in [
        ("gone.pem", "0123abcd.0"),
        ("none.pem", "0123ABCD.3"),
        ("made0.crt", "link.pem"),
        ("missing.pem", "dangling.pem"),
        ("made0.crt", "0123abcd.r0"),
        ("made1.crt", "0123abcd.x"),
        ("made1.crt", "0123abcd."),
    ] {
        symlink(target, certs.join(name)).unwrap();
    }
    for words in [&["-v"][..], &["-v", "-compat"], &["-n", "-v", "-old"], &["-v"]] {
        let ours = evaluated(root, &[&["openssl", "rehash"], words, &["/certs"]].concat());
        let listed = our_listing(root, &ours.files, "certs");
        let real = output(program("openssl").arg("rehash").args(words).arg(&certs))?;
        let (status, errors, lines) = said(&ours);
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).unwrap().replace(certs.to_str().unwrap(), "/certs")
        };
        let mut real_lines: Vec<String> = text(real.stdout).lines().map(str::to_owned).collect();
        real_lines.sort();
        assert_eq!(errors, text(real.stderr), "{words:?}");
        let differing: Vec<_> = lines.iter().zip(&real_lines).filter(|(a, b)| a != b).collect();
        assert!(differing.is_empty() && lines.len() == real_lines.len(), "{differing:?}");
        assert_eq!(Some(i32::from(status)), real.status.code(), "{words:?}");
        assert_eq!(differences(&listed, &listing(&certs)), Vec::<String>::new(), "{words:?}");
    }
    Ok(())
}

/// Debian's script, evaluated with `openssl` built in, and the keystore that its hook would fill.
#[test]
fn bundle_links_and_keystore_are_the_same() -> Result {
    let copy = tempfile::Builder::new().prefix("plywood-certificates-").tempdir().unwrap();
    let root = copy.path().join("root");
    let mut cp = program("cp");
    run(cp.args(["--archive", "--reflink=auto"]).arg(base::debian_root()?).arg(&root))?;
    let local = root.join("usr/local/share/ca-certificates");
    fs::create_dir_all(&local).unwrap();
    let mozilla = root.join("usr/share/ca-certificates/mozilla");
    let mut own = fs::read(mozilla.join("ACCVRAIZ1.crt")).unwrap();
    own.pop();
    fs::write(local.join("own (1), two.crt"), own).unwrap();
    let conf = root.join("etc/ca-certificates.conf");
    let text = fs::read_to_string(&conf).unwrap();
    fs::write(&conf, text.replacen("mozilla/A", "!mozilla/A", 1)).unwrap();
    let chroot = Chroot::new(&root);

    let words = ["update-ca-certificates", "--fresh", "--hooksdir", "/none"];
    let ours = evaluated(&root, &words);
    let listed = our_listing(&root, &ours.files, "etc/ssl/certs");
    let real = output(&mut chroot.command(words))?;
    assert_eq!(String::from_utf8(real.stdout).unwrap().lines().count(), said(&ours).2.len());
    let expected = listing(&root.join("etc/ssl/certs"));
    assert_eq!(differences(&listed, &expected), Vec::<String>::new());
    assert!(expected.len() > 250, "{}", expected.len());

    for deb in packages::fetched(&["openjdk-17-jre-headless"])? {
        packages::unpack(&deb, &root)?;
    }
    run(program("/sbin/ldconfig").arg("-r").arg(&root))?;
    let jvm = "/usr/lib/jvm/java-17-openjdk-amd64/bin";
    symlink(format!("{jvm}/java"), root.join("usr/bin/java")).unwrap();
    let jar = "/usr/share/ca-certificates-java/ca-certificates-java.jar";
    let fill = format!(
        "find /etc/ssl/certs -name '*.pem' | sort | sed s/^/+/ | java -Xmx64m -jar {jar} \
         -storepass changeit"
    );
    let change = format!(
        "printf '%s\\n' +/etc/ssl/certs/ACCVRAIZ1.pem -/x/Certigna.pem -/x/none +/none.pem '' \
         | java -jar {jar}"
    );
    let keystore = root.join("etc/ssl/certs/java/cacerts");
    for script in [&fill, &change, &change] {
        let ours = evaluated(&root, &["sh", "-c", script]);
        let written = our_listing(&root, &ours.files, "etc/ssl/certs/java");
        let real = output(&mut chroot.command(["sh", "-c", script]))?;
        let errors = String::from_utf8(ours.transcript.of(Channel::Errors)).unwrap();
        assert_eq!(errors, String::from_utf8(real.stderr).unwrap());
        let out = String::from_utf8(ours.transcript.of(Channel::Output)).unwrap();
        assert_eq!(out, String::from_utf8(real.stdout).unwrap());
        let expected = fs::read(&keystore).unwrap();
        assert_eq!(timeless(&written["cacerts"]), timeless(&expected), "{script}");
        // The real program reads ours.
        fs::write(&keystore, &written["cacerts"]).unwrap();
        let mut list = chroot.command([format!("{jvm}/keytool")]);
        list.args(["-list", "-keystore", "/etc/ssl/certs/java/cacerts", "-storepass", "changeit"]);
        let listed = testbed::stdout(&mut list)?;
        let count = listed.matches("trustedCertEntry").count();
        assert_eq!(count, timeless(&expected).len(), "{listed}");
    }
    Ok(())
}

/// The entries of a keystore without their times: names and certificates, in order.
fn timeless(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let number = |at: usize, length: usize| {
        bytes[at..at + length].iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let mut entries = Vec::new();
    let mut at = 12;
    for _ in 0..number(8, 4) {
        assert_eq!(number(at, 4), 2);
        let name = number(at + 4, 2);
        let alias = String::from_utf8(bytes[at + 6..at + 6 + name].to_vec()).unwrap();
        at += 6 + name + 8;
        let kind = number(at, 2);
        at += 2 + kind;
        let length = number(at, 4);
        entries.push((alias, bytes[at + 4..at + 4 + length].to_vec()));
        at += 4 + length;
    }
    assert_eq!(at + 20, bytes.len());
    entries
}
