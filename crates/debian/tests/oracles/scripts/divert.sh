mkdir -p /opt; echo a > /opt/a; echo b > /opt/b; mkdir /opt/d
dd() { dpkg-divert "$@"; echo "-> $?"; }
$ added and removed
dd --package p --divert /opt/a.p --rename --add /opt/a
dd --list
dd --truename /opt/a
dd --truename /opt/b
dd --listpackage /opt/a
dd --listpackage /opt/a.p
dd --listpackage /opt/b
dd --package p --divert /opt/a.p --rename --add /opt/a
dd --package p --divert /opt/a.p --rename --remove /opt/a
dd --package p --divert /opt/a.p --rename --remove /opt/a
$ many, in their order
for i in 1 2 3 4 5 6 7 8 9 /usr/bin/x /usr/lib/y/z; do dd --quiet --no-rename --add /opt/$i; done
dd --list
dd --list '*[1-3]*'
dd --list /opt/1 /opt/9.distrib ':'
$ many of packages
for i in 1 2 3; do dd --package p$i --no-rename --divert /usr/bin/y$i --add /usr/bin/x$i; done
dd --list 'p2' '*y3'
dd --no-rename --remove /usr/bin/x2
cat /var/lib/dpkg/diversions /var/lib/dpkg/diversions-old
$ without a word about renaming
dd /opt/a
dd --remove /opt/a
dd --add /opt/nothing
$ local
dd --local --rename /opt/a
dd --local --rename --remove /opt/a
$ of the script's package
export DPKG_MAINTSCRIPT_PACKAGE=q DPKG_MAINTSCRIPT_ARCH=amd64
dd --rename --add /opt/a
dd --local --rename --add /opt/b
dd --rename --remove /opt/b
dd --rename --remove /opt/a
$ clashes
dd --rename --package p --divert /opt/x --add /opt/a
dd --rename --package q --divert /opt/x --add /opt/a
dd --rename --package p --divert /opt/y --add /opt/a
dd --rename --package p --divert /opt/x --add /opt/b
dd --rename --package p --divert /opt/y --add /opt/x
dd --no-rename --add /opt/x
$ mismatches
dd --no-rename --package p --divert /opt/x --add /opt/a
dd --no-rename --package q --remove /opt/a
dd --no-rename --local --remove /opt/a
dd --no-rename --divert /opt/y --remove /opt/a
dd --no-rename --divert /opt/y --package p --remove /opt/b
dd --no-rename --divert /opt/y --remove /opt/b
dd --no-rename --local --remove /opt/b
dd --no-rename --remove /opt/a
$ overwriting
dd --package p --divert /opt/b --rename --add /opt/a
ln /opt/a /opt/c
dd --package p --divert /opt/c --rename --add /opt/a
dd --package p --divert /opt/c --rename --remove /opt/a
$ mistakes
dd --add opt/a
dd --add /opt/d
dd --rename --add
dd --rename --add /opt/a /opt/b
dd --rename --divert /opt/a --add /opt/a
dd --rename --divert opt/a --add /opt/b
dd --truename
dd --listpackage a
$ essential packages
dd --rename --add /bin/true
dd --package coreutils --rename --add /bin/false
dd --package base-files --rename --add /bin/cat
dd --no-rename --add /bin/date
$ testing
dd --test --rename --add /opt/a
$ into a directory that is not there
dd --rename --divert /nowhere/a --add /opt/a
$ the database of the base
cat /var/lib/dpkg/diversions
dd --list
