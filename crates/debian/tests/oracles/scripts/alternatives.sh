mkdir -p /opt/m; for f in a b c a.1 b.1; do echo $f > /opt/$f; chmod 755 /opt/$f; touch -d @$((1000000000 + $(printf %d "'$f") )) /opt/$f; done
ua() { update-alternatives "$@"; echo "-> $?"; }
$ a new group
ua --install /usr/bin/thing thing /opt/a 10
$ a new group with slaves
ua --install /usr/bin/thing thing /opt/a 10 --slave /usr/share/thing.1 thing.1 /opt/a.1 --slave /usr/share/x x /opt/b
$ a slave whose file is not there
ua --install /usr/bin/thing thing /opt/a 10 --slave /usr/share/man/thing.1 thing.1 /opt/nowhere --slave /usr/share/y y /opt/b.1
ua --install /usr/bin/thing thing /opt/b 10 --slave /usr/share/man/thing.1 thing.1 /opt/b.1
ua --display thing
$ better and worse
ua --install /usr/bin/thing thing /opt/b 20
ua --install /usr/bin/thing thing /opt/a 30
ua --install /usr/bin/thing thing /opt/c 30
ua --query thing
$ ties keep what is
ua --install /usr/bin/thing thing /opt/b 20
ua --install /usr/bin/thing thing /opt/a 20
ua --remove thing /opt/b
ua --list thing
$ manual and back
ua --install /usr/bin/thing thing /opt/b 20 --slave /usr/share/y y /opt/b.1
ua --install /usr/bin/thing thing /opt/a 10
ua --set thing /opt/a
ua --display thing
ua --query thing
ua --install /usr/bin/thing thing /opt/c 90
ua --auto thing
ua --auto thing
$ quiet
ua --quiet --install /usr/bin/thing thing /opt/b 20
ua --quiet --set thing /opt/b
ua --quiet --remove thing /opt/b
ua --quiet --remove thing /opt/b
$ verbose
ua --verbose --install /usr/bin/thing thing /opt/b 20 --slave /usr/share/y y /opt/b.1
ua --verbose --set thing /opt/b
ua --verbose --install /usr/bin/thing thing /opt/a 20
ua --verbose --install /usr/bin/thing thing /opt/b 20
ua --verbose --remove thing /opt/nothing
ua --verbose --remove nothing /opt/nothing
$ removing what is in use
ua --install /usr/bin/thing thing /opt/b 20 --slave /usr/share/y y /opt/b.1
ua --install /usr/bin/thing thing /opt/a 10 --slave /usr/share/y y /opt/a.1
ua --set thing /opt/b
ua --remove thing /opt/b
ua --remove thing /opt/a
$ removing all
ua --install /usr/bin/thing thing /opt/b 20 --slave /usr/share/y y /opt/b.1
ua --remove-all thing
ua --remove-all thing
$ negative priorities and signs
ua --install /usr/bin/thing thing /opt/b -20
ua --install /usr/bin/thing thing /opt/a +5
ua --install /usr/bin/thing thing /opt/c 5x
ua --install /usr/bin/thing thing /opt/c 99999999999
ua --install /usr/bin/thing thing /opt/c ""
$ a file where the link belongs
echo x > /usr/bin/thing
ua --install /usr/bin/thing thing /opt/b 20
ua --display thing
ua --remove thing /opt/b
$ a file where the link belongs, forced
echo x > /usr/bin/thing
ua --force --install /usr/bin/thing thing /opt/b 20
$ a file where a slave belongs
echo x > /usr/share/y
ua --install /usr/bin/thing thing /opt/b 20 --slave /usr/share/y y /opt/b.1
ua --install /usr/bin/thing thing /opt/a 30
$ broken links
ua --install /usr/bin/thing thing /opt/b 20 --slave /usr/share/y y /opt/b.1
ua --install /usr/bin/thing thing /opt/a 10
rm /usr/bin/thing
ua --auto thing
rm /etc/alternatives/y
ua --auto thing
rm /etc/alternatives/thing
ua --install /usr/bin/thing thing /opt/c 10
$ changed by hand
ua --install /usr/bin/thing thing /opt/b 20
ua --install /usr/bin/thing thing /opt/a 10
ln -sf /opt/c /etc/alternatives/thing
ua --install /usr/bin/thing thing /opt/a 15
ua --display thing
ua --set thing /opt/a
$ changed by hand and broken
ua --install /usr/bin/thing thing /opt/b 20
ln -sf /opt/c /etc/alternatives/thing
rm /usr/bin/thing
ua --install /usr/bin/thing thing /opt/a 15
$ dangling
ua --install /usr/bin/thing thing /opt/b 20
ua --install /usr/bin/thing thing /opt/a 10
rm /opt/b
ua --display thing
ua --auto thing
ua --list thing
$ the last choice is gone
ua --install /usr/bin/thing thing /opt/b 20
rm /opt/b
ua --display thing
ua --query thing
ua --remove thing /opt/b
$ renamed links
ua --install /usr/bin/thing thing /opt/b 20 --slave /usr/share/y y /opt/b.1
ua --install /usr/bin/other thing /opt/b 20 --slave /usr/share/z y /opt/b.1
ua --install /usr/bin/other thing /opt/a 30 --slave /usr/share/w y /opt/a.1
$ new slaves of what is in use
ua --install /usr/bin/thing thing /opt/b 20
ua --install /usr/bin/thing thing /opt/b 20 --slave /usr/share/y y /opt/b.1
ua --install /usr/bin/thing thing /opt/b 20
$ slaves that nobody has any more
ua --install /usr/bin/thing thing /opt/b 20 --slave /usr/share/y y /opt/b.1
ua --install /usr/bin/thing thing /opt/a 10
ua --remove thing /opt/b
$ mistakes
ua --install /usr/bin/thing thing /opt/b
ua --install bin/thing thing /opt/b 1
ua --install /usr/bin/thing thing opt/b 1
ua --install /usr/bin/thing th/ng /opt/b 1
ua --install /usr/bin/thing thing /opt/nothing 1
ua --install /usr/bin/thing thing /usr/bin/thing 1
ua --install /usr/bin/thing thing /opt/b 1 --slave /usr/bin/thing y /opt/a
ua --install /usr/bin/thing thing /opt/b 1 --slave /usr/bin/y thing /opt/a
ua --install /usr/bin/thing thing /opt/b 1 --slave /usr/bin/y y /opt/a --slave /usr/bin/y z /opt/a
ua --install /usr/bin/thing thing /opt/b 1 --slave /usr/bin/y y /opt/a --slave /usr/bin/z y /opt/a
ua --install /usr/bin/thing thing /opt/b 1 --slave /usr/bin/y y
ua --install /usr/bin/thing thing /opt/b 1 --slave /usr/bin/y y opt/a
ua --slave /usr/bin/y y /opt/a
ua --set thing
ua --set thing /opt/a
ua --set thing opt/a
ua --remove thing
ua --auto nothing
ua --auto
ua --list nothing
ua --query nothing
ua --display nothing
ua --config nothing
ua --auto a --auto b
ua thing
ua --thing
ua --altdir
ua
$ conflicts between groups
ua --install /usr/bin/thing thing /opt/b 20 --slave /usr/share/y y /opt/b.1
ua --install /usr/bin/thing other /opt/b 20
ua --install /usr/share/y other /opt/b 20
ua --install /usr/bin/y y /opt/b 20
ua --install /usr/bin/other other /opt/b 20 --slave /usr/share/y z /opt/a
ua --install /usr/bin/other other /opt/b 20 --slave /usr/share/z y /opt/a
ua --install /usr/bin/other other /opt/b 20 --slave /usr/share/z thing /opt/a
ua --install /usr/bin/thing thing /opt/b 20 --slave /usr/share/y z /opt/a
$ a link in a directory that is not there
ua --install /nowhere/thing thing /opt/b 20
ua --install /usr/bin/thing thing /opt/b 20 --slave /nowhere/y y /opt/b.1
$ other directories
ua --altdir /opt/alt/x --admindir /opt/adm/x --log /var/log/alternatives.log --install /opt/thing thing /opt/b 20
ua --admindir /opt/adm/x --display thing
$ corrupt files
echo nothing > /var/lib/dpkg/alternatives/thing
ua --display thing
ua --install /usr/bin/thing thing /opt/b 20
printf 'auto\n/usr/bin/thing\n\n/opt/b\nx\n\n' > /var/lib/dpkg/alternatives/thing
ua --display thing
printf 'auto\n/usr/bin/thing\n\n/opt/b\n1\n' > /var/lib/dpkg/alternatives/thing
ua --display thing
printf 'auto\n/usr/bin/thing\ny\n/usr/bin/thing\n\n' > /var/lib/dpkg/alternatives/thing
ua --display thing
: > /var/lib/dpkg/alternatives/thing
ua --display thing
$ selections
ua --get-selections
ua --install /usr/bin/thing thing /opt/b 20 --slave /usr/share/y y /opt/b.1
ua --install /usr/bin/thing thing /opt/a 10
printf 'thing auto /opt/a\nnothing auto /x\nthing\nthing auto\n' | ua --set-selections
printf 'thing\tmanual  /opt/a\n' | ua --set-selections
printf 'thing manual /opt/c\nthing manual' | ua --set-selections
ua --get-selections
$ asking
ua --install /usr/bin/thing thing /opt/b 20 --slave /usr/share/y y /opt/b.1
ua --config thing
ua --install /usr/bin/thing thing /opt/a -10
ua --config thing
echo 2 | ua --config thing
echo | ua --config thing
echo /opt/a | ua --config thing
printf '9\n0\n' | ua --config thing
ua --skip-auto --config thing
printf 1 | ua --config thing
$ awk of the base
ua --display awk
ua --query awk
ua --remove awk /usr/bin/mawk
ua --display pager
$ a link that is a link of the base
ua --install /usr/bin/awk awk /opt/a 50
ua --remove awk /opt/a
$ an alternative without its file
ln -s /opt/a /etc/alternatives/thing
ua --install /usr/bin/thing thing /opt/a 20
ua --install /usr/bin/thing2 thing2 /opt/a 20
$ a target that is a link
ln -s a /opt/l; touch -h -d @900000000 /opt/l
ua --install /usr/bin/thing thing /opt/l 20
