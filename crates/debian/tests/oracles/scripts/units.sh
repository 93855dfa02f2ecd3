export DPKG_MAINTSCRIPT_PACKAGE=p
mkdir -p /lib/systemd/system /lib/systemd/user
unit() { name=$1; shift; { printf '[Unit]\nDescription=%s\n[Install]\n' "$name"; for line; do echo "$line"; done; } > /lib/systemd/system/$name; }
dsh() { deb-systemd-helper "$@"; echo "-> $?"; }
unit one.service WantedBy=multi-user.target
unit two.service 'WantedBy=multi-user.target graphical.target' RequiredBy=x.target Alias=deux.service Also=two.socket
unit two.socket WantedBy=sockets.target
unit three@.service WantedBy=getty.target DefaultInstance=tty1
unit none.service
printf '[Install]\nWantedBy=default.target\n' > /lib/systemd/user/four.service
$ enabled
dsh unmask one.service
dsh --quiet was-enabled one.service
dsh enable one.service
dsh is-enabled one.service
dsh was-enabled one.service
dsh debian-installed one.service
dsh enable one.service
find /etc/systemd/system /var/lib/systemd -newer /etc/hostname | sort
$ several, with more
dsh enable two.service
dsh is-enabled two.service two.socket
cat /var/lib/systemd/deb-systemd-helper-enabled/*.dsh-also
$ templates and nothing
dsh enable three@.service
dsh enable none.service
dsh is-enabled none.service
$ questions
dsh is-enabled one.service
dsh --quiet is-enabled one.service
dsh was-enabled one.service
dsh debian-installed one.service
$ updated
dsh update-state one.service
dsh enable two.service
sed -i /Alias/d /lib/systemd/system/two.service
dsh update-state two.service
dsh was-enabled two.service
dsh debian-installed two.service
$ disabled
dsh enable one.service
dsh enable two.service
dsh disable two.service
dsh disable one.service
$ purged
dsh enable one.service
dsh enable two.service
dsh purge two.service
dsh purge one.service
dsh unmask one.service
$ disabled by the administrator
dsh enable one.service
rm /etc/systemd/system/multi-user.target.wants/one.service
dsh enable one.service
dsh was-enabled one.service
dsh disable one.service
$ enabled again
dsh enable one.service
dsh reenable one.service
$ masked and unmasked
dsh mask one.service
dsh mask one.service
dsh unmask one.service
dsh unmask one.service
$ masked by somebody else
ln -s /dev/null /etc/systemd/system/one.service
dsh mask one.service
dsh unmask one.service
$ of users
dsh --user enable four.service
dsh --user was-enabled four.service
dsh --user mask four.service
dsh --user unmask four.service
dsh --user purge four.service
$ mistakes
dsh
dsh nonsense one.service
DPKG_MAINTSCRIPT_PACKAGE= dsh enable one.service
