//! A secret that a `RUN` sees is nowhere afterwards.

use std::path::Path;
use std::process::Output;

use testbed::base;
use testbed::{Context, House, Index, Result, files, output};

use super::{NAME, build};
use crate::support::plywood;

const TOKEN: &str = "tok-SECRET-4f1b9c";

const LINES: &str = "\
RUN --mount=type=secret,id=token echo \"DIGEST  /run/secrets/token\" | sha256sum -c || exit 3
RUN --mount=type=secret,id=token,env=TOKEN test ${#TOKEN} -eq 17 && echo \"$TOKEN\" && mkdir /made
RUN --mount=type=secret,id=token,target=/etc/token,mode=0400 sha256sum /etc/token > /dev/null
";

/// Everything that plywood kept, and everything that it said.
fn demand_absent(store: &Path, home: &Path, said: &Output, word: &str) {
    for text in [&said.stdout, &said.stderr] {
        assert!(!holds(text, word), "{}", String::from_utf8_lossy(text));
    }
    for place in [store, home] {
        for name in files(place) {
            let path = place.join(&name);
            if !path.is_file() {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            assert!(!holds(&bytes, word), "{}", path.display());
            // Layers are compressed.
            let mut plain = Vec::new();
            let mut gzip = flate2::read::MultiGzDecoder::new(&bytes[..]);
            if std::io::Read::read_to_end(&mut gzip, &mut plain).is_ok() {
                assert!(!holds(&plain, word), "in {}", path.display());
            }
        }
    }
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

#[test]
fn a_secret_is_in_no_layer_config_key_cache_or_plan() -> Result {
    let digest = oci::Digest::of(TOKEN.as_bytes());
    let lines = LINES.replace("DIGEST", &digest.hex());
    let house = House::listed("benchmark")?;
    let index = Index::of(&[&house])?;
    let place = index.url();
    let (scheme, rest) = place.split_once("://").unwrap();
    let install = format!(
        "RUN --mount=type=secret,id=token pip install --no-cache-dir --index-url \
         \"{scheme}://user:$(cat /run/secrets/token)@{rest}\" click\n"
    );
    let context = Context::with_dockerfile(&format!("FROM base\n{lines}{install}"))?;
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&secret, TOKEN).unwrap();
    let plywood = plywood()?;
    let base = base::usr_local_python()?;
    let given = format!("id=token,src={}", secret.path().display());
    for more in [&["--explain-run"][..], &["--explain-run", "--debug", "--progress=plain"]] {
        let mut build = build(&plywood, &base, &context);
        let said = output(build.args(["--tag", NAME, "--secret", &given]).args(more))?;
        demand_absent(&plywood.store(), plywood.home(), &said, TOKEN);
    }
    let mut plan = plywood.command(["plan", "--json", "--explain-run", "--secret", &given]);
    let layout = base.layout.display();
    plan.args(["--build-context", &format!("base=oci-layout://{layout}:{}", base::TAG)]);
    let said = output(plan.arg(context.path()))?;
    assert!(holds(&said.stdout, "assembled"), "{}", String::from_utf8_lossy(&said.stdout));
    demand_absent(&plywood.store(), plywood.home(), &said, TOKEN);
    Ok(())
}

#[test]
fn a_line_that_would_keep_a_secret_is_refused() -> Result {
    let plywood = plywood()?;
    let base = base::usr_local_python()?;
    for line in [
        "cp /run/secrets/token /kept",
        "echo \"password = $(cat /run/secrets/token)\" > /etc/app.conf",
        "ln -s \"$(cat /run/secrets/token)\" /link",
    ] {
        let text = format!("FROM base\nRUN --mount=type=secret,id=token {line}\n");
        let context = Context::with_dockerfile(&text)?;
        let mut build = build(&plywood, &base, &context);
        build.env("TOKEN", TOKEN).args(["--secret", "id=token,env=TOKEN"]);
        let said = build.output().unwrap();
        let errors = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(11), "{errors}");
        assert!(errors.contains("the secret `token` would be in the layer"), "{errors}");
        demand_absent(&plywood.store(), plywood.home(), &said, TOKEN);
    }
    Ok(())
}
