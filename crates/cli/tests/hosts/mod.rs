//! Where registries are said to be elsewhere, by files and by flags, as a user has them.

use serve::testing::{Behaviour, Effect, Fault, Presented, TestDoor, TestRegistry};

use crate::OWN;
use crate::scene::{Scene, image};

/// A scene, a mirror of its registry, and the image `REGISTRY/app:1` in both.
struct Mirrored {
    scene: Scene,
    mirror: TestRegistry,
}

impl Mirrored {
    fn new() -> Self {
        let scene = Scene::new();
        let mirror = TestRegistry::start(Behaviour::default()).unwrap();
        let app = image(&scene.store(), "app", OWN);
        let copy = format!("{}/hub/app:1", mirror.name());
        for name in ["REGISTRY/app:1", &copy] {
            let reference = name.replace("REGISTRY", &scene.registry.name()).parse().unwrap();
            scene.store().tag(&reference, &app).unwrap();
            scene.answer(&["push", name]);
        }
        scene.answer(&["prune", "--all"]);
        scene.registry.take_requests();
        mirror.take_requests();
        Mirrored { scene, mirror }
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.scene.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, self.here(text)).unwrap();
    }

    fn here(&self, text: &str) -> String {
        text.replace("REGISTRY", &self.scene.registry.name()).replace("MIRROR", &self.mirror.name())
    }

    fn there(&self, text: &str) -> String {
        text.replace(&self.mirror.name(), "MIRROR")
    }

    /// A pull, and how many requests reached the mirror and the registry.
    fn pull(&self) -> (usize, usize) {
        self.scene.answer(&["pull", "REGISTRY/app:1"]);
        (self.mirror.take_requests().len(), self.scene.registry.take_requests().len())
    }
}

const CONF: &str = ".config/containers/registries.conf";
const MIRROR: &str = "
[[registry]]
location = 'REGISTRY'
[[registry.mirror]]
location = 'MIRROR/hub'
";

#[test]
fn the_user_s_registries_conf_leads_to_a_mirror() {
    let here = Mirrored::new();
    here.file(CONF, MIRROR);
    assert_eq!(here.pull(), (5, 0), "tag, manifest, config and two layers");
}

#[test]
fn drop_ins_and_containerd_s_files_do_so_too() {
    let here = Mirrored::new();
    here.file(".config/containers/registries.conf.d/a.conf", MIRROR);
    assert_eq!(here.pull(), (5, 0));
    let here = Mirrored::new();
    let (host, port) = here.scene.registry.name().rsplit_once(':').map(owned).unwrap();
    let path = format!(".config/containerd/certs.d/{host}_{port}_/hosts.toml");
    // Its repositories have the same names there.
    here.file(&path, "[host.'http://MIRROR']\ncapabilities = ['pull', 'resolve']");
    assert_eq!(here.pull(), (1, 5), "that it has no such repository is asked once");
    let asked = here.scene.command(&["images"]).env("CONTAINERS_REGISTRIES_CONF", "none").status();
    assert!(asked.unwrap().success(), "what needs no registry needs no settings of one");
}

fn owned((host, port): (&str, &str)) -> (String, String) {
    (host.to_owned(), port.to_owned())
}

#[test]
fn damage_at_a_mirror_is_a_warning_and_the_image_is_right() {
    let here = Mirrored::new();
    here.file(CONF, MIRROR);
    here.mirror.fault(Fault::always("GET", "/blobs/", Effect::Corrupt));
    let ended = here.scene.run_with(&["--progress", "plain", "pull", "REGISTRY/app:1"], b"");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let told = here.there(&ended.stderr);
    assert!(told.contains("warning: mirror MIRROR is damaged: "), "{told}");
    here.scene.answer(&["save", "-o", "app.tar", "REGISTRY/app:1"]);
}

#[test]
fn a_push_goes_to_the_registry_at_its_location() {
    let here = Mirrored::new();
    let conf = "
        [[registry]]
        prefix = 'registry.example/team'
        location = 'REGISTRY/moved'
        [[registry.mirror]]
        location = 'MIRROR/hub'
    ";
    here.file(CONF, conf);
    here.scene.answer(&["copy", "REGISTRY/app:1", "registry.example/team/app:2"]);
    assert!(here.scene.registry.tag("moved/app", "2").is_some());
    assert_eq!(here.mirror.requests(), []);
    // It is read from there, too, as the mirror does not have it.
    here.scene.answer(&["pull", "registry.example/team/app:2"]);
    let names = here.scene.answer(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
    assert_eq!(names, "registry.example/team/app:2\n");
}

#[test]
fn a_mirror_is_shown_only_its_own_credential() {
    let here = Mirrored::new();
    here.file(CONF, MIRROR);
    let door = TestDoor::Basic { user: "bob".into(), password: "SECRET-MIRROR".into() };
    here.mirror.behave(Behaviour { door, ..Behaviour::default() });
    let login = ["login", "-u", "ann", "--password-stdin", "REGISTRY"];
    assert_eq!(here.scene.run_with(&login, b"SECRET-ORIGIN").code, 0);
    here.scene.registry.take_requests();
    assert_eq!(here.pull(), (1, 5));
    here.scene.answer(&["rmi", "REGISTRY/app:1"]);
    here.scene.answer(&["prune", "--all"]);
    let mirror = here.mirror.name();
    let login = ["login", "-u", "bob", "--password-stdin", &mirror];
    assert_eq!(here.scene.run_with(&login, b"SECRET-MIRROR").code, 0);
    here.mirror.take_requests();
    here.scene.answer(&["pull", "REGISTRY/app:1"]);
    assert_eq!(here.scene.registry.requests(), []);
    let shown: Vec<_> = here.mirror.requests().iter().map(|asked| asked.presented).collect();
    assert_eq!(shown[..2], [Presented::Nothing, Presented::Basic]);
}

#[test]
fn files_that_are_wrong_are_named_with_the_way_out() {
    let here = Mirrored::new();
    let refusal = |words: &[&str]| here.there(&here.scene.refusal(words));
    here.file(CONF, "[[registry]]\nlocation = 'REGISTRY'\nblocked = true\n");
    insta::assert_snapshot!(refusal(&["pull", "REGISTRY/app:1"]), @"
    exit 6
    error: failed to reach `REGISTRY/app`: it is blocked in HOME/.config/containers/registries.conf
    hint: take `blocked` out of HOME/.config/containers/registries.conf if that is not meant
    ");
    here.file(CONF, "\n[[registry]]\nlocation = 'https://REGISTRY'\n");
    insta::assert_snapshot!(refusal(&["pull", "REGISTRY/app:1"]), @"
    exit 4
    error: failed to read HOME/.config/containers/registries.conf:3: `https://REGISTRY` has a scheme; it takes host[:port][/path]
    hint: correct the file; CONTAINERS_REGISTRIES_CONF names another file
    ");
    here.file(CONF, "");
    insta::assert_snapshot!(refusal(&["--ca", "none.pem", "pull", "REGISTRY/app:1"]), @"
    exit 4
    error: failed to read none.pem: No such file or directory (os error 2)
    hint: check the path
    ");
    insta::assert_snapshot!(refusal(&["--cert-dir", "none", "pull", "REGISTRY/app:1"]), @"
    exit 4
    error: failed to read none: No such file or directory (os error 2)
    hint: check the path
    ");
    here.file("certs/ca.crt", "SECRET, and no certificate");
    insta::assert_snapshot!(refusal(&["--ca", "certs/ca.crt", "pull", "REGISTRY/app:1"]), @"
    exit 4
    error: failed to use certs/ca.crt as a certificate: it holds none
    hint: it takes PEM: `-----BEGIN CERTIFICATE-----`; convert DER with `openssl x509 -inform der`
    ");
    insta::assert_snapshot!(refusal(&["--cert-dir", "certs", "pull", "REGISTRY/app:1"]), @"
    exit 4
    error: failed to use certs/ca.crt as a certificate: it holds none
    hint: it takes PEM: `-----BEGIN CERTIFICATE-----`; convert DER with `openssl x509 -inform der`
    ");
    let mut command = here.scene.command(&["pull", "registry.invalid/app:1"]);
    command.env("SSL_CERT_FILE", "certs/ca.crt");
    let ended = here.scene.ended(&command.output().unwrap());
    insta::assert_snapshot!(ended.stderr, @"
    error: failed to use certs/ca.crt as a certificate: it holds none
    hint: it takes PEM: `-----BEGIN CERTIFICATE-----`; convert DER with `openssl x509 -inform der`
    ");
}

/// Which it speaks is asked, so what is insecure may speak plainly.
#[test]
fn what_is_insecure_may_speak_plainly() {
    let here = Mirrored::new();
    here.scene.answer(&["--insecure", "REGISTRY", "pull", "REGISTRY/app:1"]);
    assert_eq!(here.scene.registry.take_requests().len(), 5, "the greeting is no request");
}
