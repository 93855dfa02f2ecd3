//! Lines of shell in a Dockerfile: the image is the one that buildah makes by running them.

use testbed::base;
use testbed::buildah::Driver;
use testbed::{Buildah, Comparison, Context, Registry, Result, Side};

use crate::support::{Unpacked, plywood, push_base};

/// What many Dockerfiles do, without a package manager.
const DOCKERFILE: &str = r#"ARG BASE
FROM $BASE AS tools
RUN mkdir -p /opt/tools/bin && printf '#!/bin/sh\necho "tool $1"\n' > /opt/tools/bin/tool \
    && chmod 755 /opt/tools/bin/tool

FROM $BASE
ARG VERSION=1
ENV APP_HOME=/srv/app LANG=C.UTF-8 SOURCE_DATE_EPOCH=315619200
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN groupadd --gid 1000 app \
    && useradd --uid 1000 --gid app --shell /bin/bash --create-home app
RUN set -eux; \
    install -d -o app -g app -m 750 "$APP_HOME/data"; \
    for name in one two three; do echo "$name $VERSION" > "$APP_HOME/$name.conf"; done; \
    sed -i -e 's/^two .*/two 22/' "$APP_HOME"/*.conf; \
    rm "$APP_HOME/three.conf"; \
    ln -s "$APP_HOME" /app
COPY . /srv/src
RUN --mount=type=bind,from=tools,source=/opt/tools,target=/tools \
    --mount=type=cache,target=/root/.cache \
    cp /tools/bin/tool /usr/local/bin/ && touch /root/.cache/left && grep -c root /etc/passwd > /srv/count
RUN find /srv/src -name '*.txt' | sort | xargs cat > /srv/all.txt; \
    chown -R app:app /srv/src && chmod -R o-rwx /srv/src; \
    [ "$(id -u)" -eq 0 ] && echo "export EDITOR=vi" >> /etc/profile
RUN rm -rf /usr/share/doc/* && find /var/cache -type f -delete
RUN ["/bin/mkdir", "/srv/$HOME"]
USER app
WORKDIR /srv/app/data
RUN echo mine > own && umask 077 && echo hidden > hidden && mkdir private
CMD ["tool", "x"]
"#;

#[test]
fn an_image_of_lines_is_as_buildah_makes_it() -> Result {
    let registry = Registry::start()?;
    let base = push_base(&registry, base::debian()?, "base/debian:12")?;
    let context = Context::with_dockerfile(DOCKERFILE)?
        .file("b.txt", "b\n")?
        .file("a/a.txt", "a\n")?
        .file(".dockerignore", "Dockerfile\n.dockerignore\n")?;
    let argument = format!("BASE={base}");
    let reference = registry.reference("ours:1");
    plywood()?.build_and_push(context.path(), &reference, &["--build-arg", &argument])?;
    // The lock is no part of a context of plywood's, and a file like others to buildah.
    std::fs::remove_file(context.path().join("plywood.lock")).unwrap();
    let buildah = Buildah::new(Driver::Copies)?;
    buildah.build("theirs", context.path(), &["--build-arg".to_owned(), argument])?;
    buildah.push("theirs", &registry.place("theirs:1"))?;

    let ours = Unpacked::of(&registry.place("ours:1"))?;
    let theirs = Unpacked::of(&registry.place("theirs:1"))?;
    let root = |unpacked: &Unpacked| unpacked.bundle().join("rootfs");
    let ours = Side::read("plywood", &root(&ours))?;
    let theirs = Side::read("buildah", &root(&theirs))?;
    let why = "buildah leaves the place where it mounts the file";
    Comparison::of(&ours, &theirs).except(why, |path| path == "etc/hosts").demand_equal()
}
