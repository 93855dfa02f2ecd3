dq() { dpkg-query "$@"; echo "-> $?"; }
$ shown
dq -W dpkg
dq -W 'libc*'
dq -W dpkg apt nothing 'no*thing'
dq -W
$ formats
dq -W -f='${Package} ${binary:Package} ${Version} ${Architecture} ${Status}\n' dpkg libc6 python3
dq -W -f '${db:Status-Want}|${db:Status-Status}|${db:Status-Eflag}|${db:Status-Abbrev}|\n' dpkg libc6
dq -W '--showformat=${source:Package} ${source:Version} ${source:Upstream-Version}\n' dpkg libc6 perl-base bash libgcc-s1 login tar 'lib*'
dq --show --showformat '[${Package;20}][${Package;-20}][${Package;2}][${Version;-3}]\n' dpkg
dq -W -f='${Depends}|${Pre-Depends}|${Essential}|${Protected}|${Multi-Arch}|${Priority}|${Section}|${Installed-Size}|${Maintainer}|${Homepage}|${Nothing}|${Nothing;5}|${Size;5}|\n' dpkg bash libc6
dq -W -f='${Description}\n${binary:Summary}\n${Conffiles}\n' bash apt
dq -W -f='a\tb\\c\qd$e${Package}$' bash
dq -W -f='${Package' bash
dq -W -f='' bash
dq -W -f='${Package;x}' bash
dq -W -f='${package} ${BINARY:package}\n' bash
dq -W -f='${db-fsys:Files}' bash
dq -W -f='${Package}\n' libc6:amd64 libc6:any libc6:i386 'libc6:*' dpkg:amd64
$ what others speak of
dq -W -f='${Package} ${Version} ${Status} ${binary:Package}\n' mail-transport-agent c-compiler lua systemd gcc
dq -W mail-transport-agent
dq -l systemd mail-transport-agent
$ listed
dq -l bash
dq -l bash dpkg libc6 nothing
dq -l 'libc*'
dq -l
$ status
dq -s bash
dq -s libc6 nothing bash
dq -s nothing
dq -s mail-transport-agent
dq -s Nothing_
dq -s -- -x
dq -s
$ available
dq -p bash
dq -p nothing bash
$ files of packages
dq -L bash
dq -L libc6:amd64 | head -5
dq -L nothing
dq -L bash nothing
dq -L
dpkg-divert --quiet --package bash --no-rename --divert /bin/rb --add /bin/rbash
dpkg-divert --quiet --package dpkg --no-rename --divert /etc/s --add /etc/skel/.bashrc
dpkg-divert --quiet --local --no-rename --divert /etc/sp --add /etc/skel/.profile
dq -L bash | grep -A1 -e rbash -e skel
$ whose files
dq -S /bin/bash
dq -S /usr/bin/dpkg /bin/bash
dq -S bin/bash
dq -S dpkg.cfg
dq -S '*/dpkg*cfg*'
dq -S /nothing
dq -S nothing-at-all /bin/bash
dq -S /etc/skel/ /etc/skel/.
dq -S
dpkg-divert --quiet --package dpkg --no-rename --divert /etc/s --add /etc/skel/.bashrc
dpkg-divert --quiet --local --no-rename --divert /bin/b --add /bin/bash
dq -S /bin/bash /bin/b /etc/skel/.bashrc /etc/s
dq -S 'skel/*bashrc'
$ own files
dq --control-path bash postinst
dq --control-path bash nothing
dq --control-path nothing
dq --control-path bash a/b
dq --control-path bash list
dq -c libc6 md5sums
dq --control-show bash postrm
dq --control-show bash nothing
dq --control-show bash
dq --control-list nothing
dq --control-list bash | sort
$ mistakes
dq
dq --control-list
