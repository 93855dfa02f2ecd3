mkdir -p /etc/init.d /etc/systemd/system
rc() { update-rc.d "$@"; echo "-> $?"; }
script() { printf '#!/bin/sh\n### BEGIN INIT INFO\n# Provides: %s\n# Default-Start: %s\n# Default-Stop: %s\n### END INIT INFO\n' "$1" "$2" "$3" > /etc/init.d/$1; chmod 755 /etc/init.d/$1; }
script one "2 3 4 5" "0 1 6"; script two "S" ""; script three "" ""
$ defaults
rc one defaults
rc two defaults
rc three defaults
rc -f one defaults
$ defaults with numbers
rc one defaults 19 21
$ disabled from the beginning
rc one defaults-disabled
rc one defaults
$ removed
rc one defaults
rc two defaults
rc one remove
rc nothing remove
$ disabled and enabled
rc one defaults
rc one disable
rc one disable 2 7
rc one enable 3
rc one enable
rc three disable
rc nothing enable
$ with a unit
printf '[Unit]\n[Install]\nWantedBy=multi-user.target\n' > /etc/systemd/system/one.service
rc one defaults
rc one enable
rc one disable
$ mistakes
rc nothing defaults
rc one
rc
rc one nonsense
rc -x one defaults
