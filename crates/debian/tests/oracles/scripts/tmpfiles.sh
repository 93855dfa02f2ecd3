mkdir -p /etc/tmpfiles.d /opt
tf() { systemd-tmpfiles "$@"; echo "-> $?"; }
conf() { cat > /etc/tmpfiles.d/x.conf; }
systemd-sysusers >/dev/null 2>&1
mkdir -p /var/log/journal; echo 0123456789abcdef0123456789abcdef > /etc/machine-id
$ of systemd
tf --create debian.conf home.conf journal-nocow.conf legacy.conf provision.conf systemd-network.conf systemd-nologin.conf systemd-pstore.conf systemd-tmp.conf systemd.conf var.conf x11.conf >/dev/null 2>&1
$ of others
tf --create man-db.conf
$ directories
conf <<'X'
d /opt/a
d /opt/b/c 2775 root mail
d /opt/mode 1777 daemon daemon 10d
D /opt/d 0700 - - -
v /opt/v
q /opt/q 0750
d /opt/before 0711 mail mail
d /opt/before2 :0711 :mail :mail
d /opt/new2 :0711 :mail :mail
e /opt/before3 0700 daemon daemon
e /opt/nothing 0700 daemon daemon
X
mkdir /opt/before /opt/before2 /opt/before3
tf --create x.conf
$ files
conf <<'X'
f /opt/empty
f /opt/text 0600 mail mail - some text
f /opt/before 0640 root mail - other
f+ /opt/again - - - - again
F /opt/again2 - - - - again
w /opt/written - - - - written
w+ /opt/written2 - - - - more
w /opt/nothing - - - - more
p /opt/pipe 0600
X
for f in before again again2 written written2; do printf old > /opt/$f; done
tf --create x.conf
$ links
conf <<'X'
L /opt/l - - - - ../etc/passwd
L /opt/before - - - - /etc/group
L+ /opt/before2 - - - - /etc/group
L /etc/nothing
X
touch /opt/before /opt/before2
tf --create x.conf
$ copies
conf <<'X'
C /opt/c 0600 mail mail - /etc/issue
C /opt/nothing - - - - /nothing
C /opt/before - - - - /etc/issue
X
echo > /opt/before; touch -d @1 /opt/before
tf --create x.conf
$ adjusted
conf <<'X'
z /opt/a* 0600 mail mail
Z /opt/t ~0750 daemon daemon
z /opt/nothing 0600
z /opt/b*/.x 0600
X
touch /opt/a1 /opt/a2 /opt/.a; mkdir -p /opt/t/u /opt/b1; touch /opt/t/f /opt/t/u/g /opt/b1/.x; chmod 755 /opt/t/u/g
tf --create x.conf
$ prefixes
printf 'd /opt/a/b\nd /opt/ab\n' | conf
tf --create --prefix /opt/a x.conf
tf --create --exclude-prefix=/opt/a --prefix=/opt x.conf
$ nothing to do
tf x.conf
tf --create nothing.conf
