# Removes what differs from one build to the next, or what only this build needed.
root=$1
# The essential packages were unpacked before dpkg could heed what dpkg.cfg leaves out.
find "$root/usr/share/doc" ! -type d ! -name copyright -delete
find "$root/usr/share/doc" -mindepth 1 -type d -empty -delete
find "$root"/usr/share/{info,lintian,linda,groff} "$root/usr/share/man" -mindepth 1 ! -type d -delete 2>/dev/null || true
find "$root/usr/share/locale" -mindepth 1 -maxdepth 1 ! -name locale.alias -exec rm -rf {} +
rm -rf "$root"/tmp/* "$root"/run/* "$root"/dev/* "$root"/var/tmp/*
mkdir -m 1777 "$root/run/lock"
find "$root/var/log" -xdev -type f -delete
# debconf keeps its answers in a cache folder.
find "$root/var/cache" -xdev -type f ! -path '*/debconf/*.dat' -delete
rm -f "$root"/etc/{passwd,group,shadow,gshadow,subuid,subgid}- "$root"/etc/.pwd.lock
rm -f "$root"/var/lib/dpkg/*-old "$root"/var/lib/dpkg/lock* "$root"/var/lib/apt/extended_states.tmp
# Third field: the day on which a password was last changed, that is, the day of the build.
sed -i -E 's/^([^:]*:[^:]*:)[0-9]*:/\119000:/' "$root/etc/shadow"
