mkdir -p /opt/d; echo a > /opt/a; echo b > /opt/b
so() { dpkg-statoverride "$@"; echo "-> $?"; }
$ added and removed
so --add root mail 2755 /opt/a
so --list
so --list /opt/a
so --list /opt/b
so --list '/opt/*' '*'
so --add root mail 2755 /opt/a
so --force --add root mail 755 /opt/a
so --force-all --add root mail 755 /opt/a
so --remove /opt/a
so --remove /opt/a
so --force-all --remove /opt/a
so --quiet --remove /opt/a
$ updating
so --update --add daemon mail 4755 /opt/a
so --update --add daemon mail 1777 /opt/d
so --update --add daemon mail 4755 /opt/nothing
so --quiet --update --add daemon mail 4755 /opt/nothing2
so --update --remove /opt/a
cat /var/lib/dpkg/statoverride /var/lib/dpkg/statoverride-old
$ many, in their order
for i in 1 2 3 4 5 6 7 8 9; do so --add root root $i /opt/$i; done
cat /var/lib/dpkg/statoverride
$ numbers
so --add '#1' '#8' 755 /opt/a
so --add '#12345' '#54321' 755 /opt/b
so --add '#x' '#54321' 755 /opt/c
so --list
$ mistakes
so --add nobody nothing 755 /opt/a
so --add nothing nogroup 755 /opt/a
so --add root root 9 /opt/a
so --add root root 17777 /opt/a
so --add root root 755
so --remove
so
so --add root root 755 /opt/d/
so --list /opt/d/
so --remove /opt/d///
$ the base
so --list
cat /var/lib/dpkg/statoverride
