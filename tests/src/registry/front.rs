//! nginx before a registry: a client certificate demanded, or long bodies refused.

use std::fs;
use std::path::Path;

use super::Ports;
use crate::certificates::Identity;
use crate::server::Server;
use crate::{Failure, Oracle, Result, program};

/// Its log has the fields of docker-registry's.
const LOG_FORMAT: &str = r#"{"msg":"response completed","http.request.method":"$request_method","http.request.uri":"$request_uri","http.request.useragent":"$http_user_agent","http.response.status":$status,"http.response.written":$body_bytes_sent}"#;

/// Starts nginx. A `cap` of zero lets bodies of any length through; with `tls` it shows that
/// identity, and demands one that the authority with that certificate vouches for.
pub(super) fn start(
    ports: Ports,
    cap: u64,
    tls: Option<(&Identity, &Path)>,
    directory: &Path,
) -> Result<Server> {
    let Ports { registry, door } = ports;
    let home = directory.display();
    let (listen, scheme, tls) = match tls {
        None => (format!("127.0.0.1:{door}"), "http", String::new()),
        Some((Identity { certificate, key }, ca)) => (
            format!("127.0.0.1:{door} ssl http2"),
            "https",
            format!(
                "ssl_certificate {};\nssl_certificate_key {};\n\
                 ssl_client_certificate {};\nssl_verify_client on;",
                certificate.display(),
                key.display(),
                ca.display(),
            ),
        ),
    };
    let config = format!(
        r#"
daemon off;
master_process off;
pid {home}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
    log_format requests escape=json '{LOG_FORMAT}';
    access_log {home}/front.log requests;
    client_body_temp_path {home}/nginx-bodies;
    proxy_temp_path {home}/nginx-proxy;
    fastcgi_temp_path {home}/nginx-fastcgi;
    uwsgi_temp_path {home}/nginx-uwsgi;
    scgi_temp_path {home}/nginx-scgi;
    server {{
        listen {listen};
        {tls}
        client_max_body_size {cap};
        location / {{
            proxy_pass http://127.0.0.1:{registry};
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-Proto {scheme};
        }}
    }}
}}
"#
    );
    let path = directory.join("nginx.conf");
    fs::write(&path, config).map_err(Failure::doing("write nginx's config"))?;
    let nginx = Oracle::named("nginx").and_then(Oracle::path);
    let mut command = program(nginx.unwrap_or_else(|| "nginx".into()));
    command.arg("-c").arg(path).arg("-e").arg(directory.join("front.log"));
    Server::start(command, directory.join("front.log"))
}
