//! Programs out of packages that plywood unpacked and configured: they run.

use testbed::debian::{self, Archive, Workshop};
use testbed::{Failure, Result};

use super::Made;
use super::sets::line;
use crate::support::plywood;

/// What is tried, of which package, and what has to be in what it prints.
struct Trial {
    packages: &'static str,
    script: &'static str,
    prints: &'static str,
}

const fn trial(packages: &'static str, script: &'static str, prints: &'static str) -> Trial {
    Trial { packages, script, prints }
}

const TRIALS: &[Trial] = &[
    trial(
        "build-essential",
        r#"cd /tmp && printf '#include <stdio.h>\nint main(){puts("hello from C");}' > hello.c && \
           cc hello.c -o hello && ./hello && printf '#include <iostream>\nint main(){std::cout<<"and C++";}' \
           > hello.cc && c++ hello.cc -o hello && ./hello"#,
        "hello from C\nand C++",
    ),
    // It links and runs what it compiles in the workflow's task, which has what is recommended.
    trial(
        "gfortran",
        "cd /tmp && printf 'program hello\\nprint *, 6*7\\nend program\\n' > hello.f90 && \
         f95 -c hello.f90 && ls hello.o && f95 --version",
        "hello.o\nGNU Fortran",
    ),
    trial("openjdk-17-jre-headless", "java -version 2>&1", "openjdk version \"17."),
    trial("ffmpeg", "ffmpeg -version && ffprobe -version", "ffprobe version"),
    trial("postgresql-client", "psql --version", "psql (PostgreSQL) 15."),
    trial("locales", "locale -a", "C.utf8"),
    trial(
        "python3",
        "python3 -c 'import ssl, ctypes.util; print(ssl.OPENSSL_VERSION)'",
        "OpenSSL 3.",
    ),
    trial("nginx-light", "nginx -t 2>&1", "test is successful"),
    trial("nodejs", "node -e 'console.log(6*7, process.version)'", "42 v18."),
    trial(
        "ca-certificates",
        "for certificate in /etc/ssl/certs/*.pem; do openssl verify -no_check_time -CApath /etc/ssl/certs \
         $certificate; done 2>&1 | grep -v ': OK$' || echo all verified",
        "all verified",
    ),
    trial(
        "ca-certificates",
        "openssl verify -CAfile /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ISRG_Root_X1.pem",
        ": OK",
    ),
];

/// A server of the image's own on loopback, with a certificate that the image is told to trust.
const CLONE: &str = r#"
cd /tmp
openssl req -x509 -newkey rsa:2048 -noenc -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout key.pem -out certificate.pem 2> /dev/null
cp certificate.pem /usr/local/share/ca-certificates/own.crt
update-ca-certificates
git init -q -b main work
git -C work -c user.name=a -c user.email=a@b.c commit -q --allow-empty -m 'a commit over TLS'
git clone -q --bare work served/work.git
git -C served/work.git update-server-info
port=$((20000 + $$ % 10000))
cat > nginx.conf << EOF
daemon on; user root; pid /tmp/nginx.pid; events {}
http { access_log off; server { listen 127.0.0.1:$port ssl; root /tmp/served;
    ssl_certificate /tmp/certificate.pem; ssl_certificate_key /tmp/key.pem; } }
EOF
nginx -c /tmp/nginx.conf -e /tmp/error.log
git clone -q https://localhost:$port/work.git cloned
git -C cloned log --format=%s
kill $(cat nginx.pid)
"#;

/// Tries what is known of a set of packages in an image that has it.
pub(super) fn demand_they_run(packages: &str, workshop: &Workshop) -> Result {
    for Trial { script, prints, .. } in TRIALS.iter().filter(|trial| trial.packages == packages) {
        let said = workshop.run(&format!("set -eu\n{script}"))?;
        if !said.contains(prints) {
            return Err(Failure::new(format!("{packages}: no {prints:?} in\n{said}")));
        }
    }
    Ok(())
}

#[test]
fn a_repository_is_cloned_over_tls() -> Result {
    let archive = Archive::start()?;
    let base = debian::fresh(&archive)?;
    let made = Made::by(&plywood()?, &base, &archive, &line("git nginx-light ca-certificates"))?;
    let said = Workshop::within(&made.root(), &archive).run(&format!("set -eu\n{CLONE}"))?;
    assert!(said.contains("a commit over TLS"), "{said}");
    Ok(())
}
