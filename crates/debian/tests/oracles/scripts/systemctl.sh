export DPKG_MAINTSCRIPT_PACKAGE=p
unit() { name=$1; shift; { printf '[Unit]\nDescription=%s\n[Install]\n' "$name"; for line; do echo "$line"; done; } > /lib/systemd/system/$name; }
sc() { systemctl "$@"; echo "-> $?"; }
unit one.service WantedBy=multi-user.target
unit two.service 'WantedBy=multi-user.target graphical.target' RequiredBy=x.target Alias=deux.service Also=two.socket
unit two.socket WantedBy=sockets.target
unit none.service
$ enabled
sc enable one.service
sc enable one
sc enable two.service
sc is-enabled one.service two.service two.socket none.service
sc --quiet is-enabled none
$ of the system itself
sc enable getty@tty1.service remote-fs.target systemd-pstore.service
$ disabled
sc enable one.service
sc disable one.service
sc disable one.service
sc is-enabled one.service
sc is-enabled nothing.service
sc enable nothing.service
$ masked
sc mask one.service
sc enable one.service
sc is-enabled one.service
sc unmask one.service
$ as the distribution wants
mkdir -p /etc/systemd/system-preset
printf 'disable two.*\nenable *\n' > /etc/systemd/system-preset/50-x.preset
sc --root=/ --system --preset-mode=enable-only preset one.service two.service
sc preset two.service
$ nothing runs
sc daemon-reload
sc --system daemon-reload
sc start one.service
sc try-restart one.service
