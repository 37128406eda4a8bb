# Compiles the locale en_US.UTF-8, which many programs and scripts ask for. Its sources have 17 MB, so `locales` is unpacked for this step only.
root=$1
sources=$(mktemp -d -p "$root/tmp")
dpkg-deb --extract "$root"/var/cache/apt/archives/locales_*.deb "$sources"
I18NPATH=/tmp/${sources##*/}/usr/share/i18n chroot "$root" localedef -i en_US -f UTF-8 --no-archive en_US.UTF-8
rm -rf "$sources"
