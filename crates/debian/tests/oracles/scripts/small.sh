mkdir -p /opt/parts; for f in b a c.d _x A-1 e; do printf '#!/bin/sh\necho %s "$@"\n' $f > /opt/parts/$f; chmod 755 /opt/parts/$f; done; chmod 644 /opt/parts/e; mkdir /opt/parts/d; ln -s nowhere /opt/parts/broken
$ mount points
for p in / /proc /etc /nothing /proc/ //proc /usr/../proc; do mountpoint $p; echo "-> $?"; mountpoint -q $p; echo "-> $?"; done
$ failing parts
printf '#!/bin/sh\nexit 3\n' > /opt/parts/a
run-parts /opt/parts; echo "-> $?"
run-parts --exit-on-error /opt/parts; echo "-> $?"
$ shells
add-shell /opt/x /opt/y; echo "-> $?"
remove-shell /opt/x; echo "-> $?"
add-shell /bin/sh
cat /etc/shells
$ maintainer scripts' own program
export DPKG_MAINTSCRIPT_PACKAGE=bash DPKG_MAINTSCRIPT_NAME=postinst DPKG_MAINTSCRIPT_ARCH=amd64
h() { dpkg-maintscript-helper "$@"; echo "-> $?"; }
h supports rm_conffile
h supports nothing
echo mine > /etc/old.conf
h rm_conffile /etc/old.conf 9.0~ -- configure 1.0
h rm_conffile /etc/skel/.bashrc 9.0~ -- configure 1.0
h mv_conffile /etc/old.conf /etc/new.conf 9.0~ -- configure 1.0
h symlink_to_dir /usr/share/doc/x y 9.0~ -- configure 1.0
DPKG_MAINTSCRIPT_NAME=preinst h rm_conffile /etc/skel/.bashrc 9.0~ -- upgrade 1.0
DPKG_MAINTSCRIPT_NAME=preinst h rm_conffile /etc/skel/.bashrc 9.0~ -- upgrade 9.1
DPKG_MAINTSCRIPT_NAME=preinst h mv_conffile /etc/skel/.profile /etc/skel/.p 9.0~ -- upgrade 1.0
h mv_conffile /etc/skel/.profile /etc/skel/.p 9.0~ -- configure 1.0
h
h rm_conffile
h nothing
$ links and directories
export DPKG_MAINTSCRIPT_PACKAGE=bash DPKG_MAINTSCRIPT_ARCH=amd64
h() { DPKG_MAINTSCRIPT_NAME=$1; export DPKG_MAINTSCRIPT_NAME; shift; dpkg-maintscript-helper "$@"; echo "-> $?"; }
ln -s target /opt/link; mkdir /opt/target /opt/dir; touch /opt/dir/f
h preinst symlink_to_dir /opt/link target 9.0~ -- upgrade 1.0
h postinst symlink_to_dir /opt/link target 9.0~ -- configure 1.0
h preinst dir_to_symlink /opt/dir /opt/target 9.0~ -- upgrade 1.0
h postinst dir_to_symlink /opt/dir /opt/target 9.0~ -- configure 1.0
$ init scripts
export DPKG_MAINTSCRIPT_PACKAGE=p
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
printf '#!/bin/sh\necho started\n' > /etc/init.d/x; chmod 755 /etc/init.d/x
invoke-rc.d x start 2>/dev/null; echo "-> $?"
$ capabilities
cp /bin/true /opt/true
setcap cap_net_raw+ep /opt/true; echo "-> $?"
getcap /opt/true; echo "-> $?"
