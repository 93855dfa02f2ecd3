mkdir -p /etc/sysusers.d
su_() { systemd-sysusers "$@"; echo "-> $?"; }
$ of systemd
su_ basic.conf systemd-journal.conf systemd-network.conf
su_ basic.conf systemd-journal.conf systemd-network.conf
$ all
su_
$ many
cat > /etc/sysusers.d/x.conf <<'X'
# a comment
u a - "A user" /var/lib/a /bin/bash
u b 150
u c 151:nogroup - /home/c
u d -:mail "D"
u e 152:8
g f 33
g g 160
g h /etc/shadow
m a g
m root g
m newuser newgroup
u i /var/mail "of a file"
X
su_ x.conf
$ numbers that are used
printf 'u x 1\nu y 8\ng z 8\n' > /etc/sysusers.d/x.conf
su_ x.conf
$ a group that is not there
printf 'u x -:nothing\nu y -\n' > /etc/sysusers.d/x.conf
su_ x.conf
su_ nothing.conf
