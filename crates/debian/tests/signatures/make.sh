#!/bin/sh
# Makes the keys, keyrings and signed texts of this directory, in a home of GnuPG's that is thrown
# away. Every key is another each time, so whatever is made anew has to be committed whole.
#
# usage: make.sh DIRECTORY
set -eu
out=$(realpath "$1")
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT
made=20250101T000000!
signed=20250110T000000!

gpg() { command gpg --batch --yes --quiet --pinentry-mode loopback --passphrase '' "$@" 2>/dev/null; }
key() { gpg --faked-system-time "${5:-$made}" --quick-generate-key "$1 <$1@example.org>" "$2" "$3" "$4"; }
fingerprint() { gpg --with-colons --list-keys "$1@example.org" | awk -F: '/^fpr/ { print $10; exit }'; }
subkey() { gpg --with-colons --list-keys subkeyed@example.org | awk -F: '/^fpr/ { print $10 }' | sed -n "$(($1 + 1))p"; }
sign() { # NAME KEY [OPTION…]
    name=$1 key=$2
    shift 2
    gpg --faked-system-time "$signed" "$@" --local-user "$key" --clearsign --output "$out/$name.InRelease" "$out/Release"
}
edit() { # KEY COMMANDS
    printf '%b' "$2" | command gpg --expert --no-tty --command-fd 0 --status-fd 2 --pinentry-mode loopback \
        --passphrase '' --faked-system-time "$signed" --edit-key "$1" 2>/dev/null >/dev/null
}

cat >"$out/Release" <<TEXT
Origin: Fixture
Suite: stable
-dashed: a line that has to be escaped
trailing: value

SHA256:
 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages
TEXT

packed() { printf 'packed\n' | sha256sum | cut -d' ' -f1; }
plain() { printf 'Package: a\n' | sha256sum | cut -d' ' -f1; }
cat >"$out/lists.Release" <<TEXT
Origin: Fixture
Label: Fixture
Suite: stable
Codename: fixture
Version: 1.0
Date: Fri, 10 Jan 2025 00:00:00 UTC
Valid-Until: Thu, 10 Jan 2030 00:00:00 UTC
Acquire-By-Hash: yes
Architectures: amd64 arm64
Components: main contrib
SHA256:
 $(packed) 7 main/binary-amd64/Packages.xz
 $(plain) 11 main/binary-amd64/Packages
 $(plain) 11 contrib/binary-amd64/Packages
 $(plain) 11 main/binary-all/Packages
TEXT

key good ed25519 sign never
key other ed25519 sign never
key rsa rsa3072 sign never
key weakrsa rsa1024 sign never
key dsa dsa2048 sign never
key p256 nistp256 sign never
key expired ed25519 sign 30d
key revoked ed25519 sign never
key useless ed25519 sign never
key young ed25519 sign never 20270601T000000!
key subkeyed ed25519 cert never
primary=$(fingerprint subkeyed)
gpg --faked-system-time "$made" --quick-add-key "$primary" ed25519 sign never
gpg --faked-system-time "$made" --quick-add-key "$primary" ed25519 sign 30d
gpg --faked-system-time "$made" --quick-add-key "$primary" ed25519 sign never
gpg --faked-system-time "$made" --quick-add-key "$primary" cv25519 encr never

for name in good rsa weakrsa dsa p256 expired revoked useless; do
    sign "$name" "$(fingerprint "$name")!"
done
sign subkey "$(subkey 1)!"
sign subkey-expired "$(subkey 2)!"
sign subkey-revoked "$(subkey 3)!"
sign both "$(fingerprint other)!" --local-user "$(fingerprint good)!"
sign md5 "$(fingerprint rsa)!" --allow-weak-digest-algos --digest-algo MD5
sign sha1 "$(fingerprint good)!" --digest-algo SHA1
sign ripemd160 "$(fingerprint good)!" --digest-algo RIPEMD160
sign signature-expired "$(fingerprint good)!" --default-sig-expire 10d
signed=20300101T000000! sign future "$(fingerprint good)!"
signed=20270701T000000! sign young "$(fingerprint young)!"

gpg --faked-system-time "$signed" --local-user "$(fingerprint good)!" --armor --detach-sign \
    --output "$out/good.Release.gpg" "$out/Release"
gpg --faked-system-time "$signed" --local-user "$(fingerprint rsa)!" --detach-sign \
    --output "$out/binary.Release.gpg" "$out/Release"

for name in good expired; do
    gpg --faked-system-time "$signed" --local-user "$(fingerprint $name)!" --clearsign \
        --output "$out/lists-$name.InRelease" "$out/lists.Release"
done
gpg --faked-system-time "$signed" --local-user "$(fingerprint good)!" --armor --detach-sign \
    --output "$out/lists.Release.gpg" "$out/lists.Release"

# What was signed before its key was taken back, or is for something else now.
sed 's/^:---/---/' "$GNUPGHOME/openpgp-revocs.d/$(fingerprint revoked).rev" | gpg --import
edit "$primary" 'key 3\nrevkey\ny\n0\n\ny\nsave\n' || true
edit "$(fingerprint useless)" 'change-usage\nS\nQ\nsave\n' || true

for name in good other rsa weakrsa dsa p256 expired revoked useless young subkeyed; do
    gpg --export "$(fingerprint "$name")" >"$out/$name.gpg"
done
gpg --armor --export "$(fingerprint good)" >"$out/good.asc"
gpg --export "$(fingerprint good)" "$(fingerprint other)" "$primary" >"$out/all.gpg"
cp "$GNUPGHOME/pubring.kbx" "$out/keybox.gpg"

# A subkey under a key that never said that it is its own.
parts=$(mktemp -d)
(cd "$parts" && gpgsplit "$out/other.gpg" && gpgsplit -p sub "$out/subkeyed.gpg")
cat "$parts"/000001* "$parts"/000002* "$parts"/000003* "$parts"/sub000004* "$parts"/sub000005* >"$out/adopted.gpg"
rm -r "$parts"

# What others do to a signed text.
sed 's/stable/unstable/' "$out/good.InRelease" >"$out/tampered.InRelease"
{ echo 'Suite: evil'; cat "$out/good.InRelease"; } >"$out/before.InRelease"
{ cat "$out/good.InRelease"; echo 'Suite: evil'; } >"$out/after.InRelease"
{ cat "$out/good.InRelease"; cat "$out/good.InRelease"; } >"$out/twice.InRelease"
sed 's/^Hash: .*/&\nSuite: evil/' "$out/good.InRelease" >"$out/header.InRelease"
sed 's/^- -dashed/-dashed/' "$out/good.InRelease" >"$out/unescaped.InRelease"
head -c -120 "$out/good.InRelease" >"$out/truncated.InRelease"
sed '/BEGIN PGP SIGNATURE/,$d' "$out/good.InRelease" >"$out/unfinished.InRelease"
{ echo 'PRIVATE'; printf '%s\n' "$(fingerprint good)" "$(fingerprint other)" "$primary" "$(subkey 1)"; } | tail -n +2 >"$out/fingerprints"
